"""The commands: one file each, thin; they read files and options, call one service, and print its result."""
