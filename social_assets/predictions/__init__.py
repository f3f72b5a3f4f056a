"""Predictions of what people say of themselves, evaluated by people whom no model has seen."""
