"""Tests of the far side, with real files and processes."""
