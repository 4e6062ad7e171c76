"""What client, wrapper and registry share: standard library only, no input or output, Python 3.6."""
