"""Use cases ready to copy, each a folder with its use case, its README and a simulator of its data."""
