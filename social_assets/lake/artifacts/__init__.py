"""Published models in an object store, and the copies that homes have of them."""
