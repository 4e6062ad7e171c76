"""The follower: one process per user and cluster that watches all jobs, journals every change and reports it."""
