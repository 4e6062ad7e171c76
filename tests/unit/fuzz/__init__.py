"""Properties of every parser: whatever strangers write, it is read, or refused by an error that is told."""
