"""Files that producers put into an object store, and what was taken of them."""
