"""Measures the text models: texts a second, and how right their labels are."""
