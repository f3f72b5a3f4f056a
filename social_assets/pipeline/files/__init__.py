"""The steps of a file: landed, validated while it lands, loaded; and unloads."""
