"""A real one-machine Slurm cluster with a real SSH login, in one folder, as the current user.

`api` is the door: `up`, `down` and `status`. It needs Linux and packages of Debian or Ubuntu;
docs/sandbox.md tells how it works.
"""
