"""Tests: drive the real thing."""
