"""How fast and how small it is, measured on a real Slurm beside what people would type instead: `make bench`."""
