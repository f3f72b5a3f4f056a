"""Predictions of what people say of themselves, judged by people whom no model has seen."""
