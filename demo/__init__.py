"""A whole grid on this machine: real Slurm, registry, mail server and client; for `make demo` and the e2e tests."""
