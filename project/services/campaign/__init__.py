"""Campaigns: one task for each data file, line or combination of values, as parts that are ordinary jobs."""
