"""The outside world: SSH, the registry, files and programs on this machine. Services see it through ports only."""
