"""Slurm's words: command lines to build, output to parse, what states mean. Nothing here runs."""
