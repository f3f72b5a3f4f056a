"""The asset checks of raw and cleaned."""
