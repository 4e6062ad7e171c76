"""The long half of the fault suite (`make faults`): real Slurms, SSH servers and registries, broken on purpose."""
