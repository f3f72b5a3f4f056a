"""Everything that is defined for Dagster: assets, checks, jobs and schedules, one folder
an area.
"""
