"""What the registry does, without a word of Flask."""
