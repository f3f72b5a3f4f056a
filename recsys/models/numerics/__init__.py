"""Arithmetic that several models share: singular vectors, neighbours, scales, BLAS threads."""
