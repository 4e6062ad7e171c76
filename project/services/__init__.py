"""One file per use case; each knows ports and core, and nothing of SSH, HTTP or terminals."""
