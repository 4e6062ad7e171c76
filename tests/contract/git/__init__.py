"""Repositories over every transport, with credentials, from here and from a login node."""
