"""Features as of any time, from the warehouse: histories, and point-in-time joins of them."""
