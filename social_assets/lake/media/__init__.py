"""The store of pictures, beside the tables of the lake."""
