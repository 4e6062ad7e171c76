"""What people see of jobs and clusters: tables of columns, ages, bars. No input, no decisions."""
