"""Looks at everything on a cluster that a job of this user needs: one small function for each check."""
