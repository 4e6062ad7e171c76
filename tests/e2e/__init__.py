"""End to end: the real client, a real Slurm, real SSH, real mail."""
