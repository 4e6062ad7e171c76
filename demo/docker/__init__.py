"""The clusters of slurm-docker/: finds or starts an engine, makes the images, starts and stops the containers."""
