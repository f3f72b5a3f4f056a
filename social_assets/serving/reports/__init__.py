"""Reports: declared pages of numbers and charts for a period, as PDF and CSV."""
