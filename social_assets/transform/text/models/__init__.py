"""Models that score texts, in pure Python, NumPy and SciPy; imports nothing of ours."""
