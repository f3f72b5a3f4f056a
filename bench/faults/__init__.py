"""Stops processes while events arrive, and sends broken records; counts what is lost or doubled."""
