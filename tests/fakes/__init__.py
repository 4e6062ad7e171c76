"""Stand-ins for what real ones cannot be made to do quickly."""
