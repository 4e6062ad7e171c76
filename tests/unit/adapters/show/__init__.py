"""What people see: tables and words."""
