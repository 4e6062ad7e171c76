"""The wrapper on a login node that dies: killed with -9 at any step it takes, found by recording one run."""
