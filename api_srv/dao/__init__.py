"""Where the registry keeps its documents: one narrow interface, two implementations."""
