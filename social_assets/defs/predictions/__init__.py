"""Predictions of what people say of themselves, and the checks of them."""
