"""Tests of the use cases, over stand-ins for their ports."""
