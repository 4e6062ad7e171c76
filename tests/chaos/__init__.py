"""Chaos: jobs of every kind, faults of every kind at any moment, and what must be true afterwards all the same.

`make chaos SEED=n JOBS=200` prints the plan that the seed stands for, carries it out over a grid of its own (a real
Slurm, SSH, mail server and registry), and checks the promises of docs/reliability.md against Slurm's accounting, the
jobs' own log of starts, the registry, the mailbox and the fetched files. The plan is the same for the same seed; when
exactly things happen is up to the machine.
"""
