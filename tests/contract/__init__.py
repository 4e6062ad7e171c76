"""Tests of what the parts promise each other, over real sockets and files."""
