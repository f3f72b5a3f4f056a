"""The figures of forecasts: bands of engagement, values outside of them, models."""
