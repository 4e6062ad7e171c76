"""Tests of what the client does with files, terminals and programs."""
