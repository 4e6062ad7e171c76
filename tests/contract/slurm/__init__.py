"""One suite over a fake Slurm and a real one."""
