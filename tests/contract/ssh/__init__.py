"""The SSH adapter against real OpenSSH servers and agents."""
