"""Tests of what all three programs share."""
