"""The user's job file: one table of keys, from which validation, schema and documentation come."""
