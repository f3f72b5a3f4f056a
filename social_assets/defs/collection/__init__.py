"""The platforms that are collected from: their assets, jobs and checks."""
