"""Tests of single functions and modules."""
