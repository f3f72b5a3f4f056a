"""The pictures that the platform server's posts name: made by code, and some faulty on purpose."""
