"""What the checks of forecasts compute."""
