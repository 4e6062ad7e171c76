"""Tests of how the code is laid out, with the tools that know."""
