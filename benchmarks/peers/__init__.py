"""The libraries that Afield is measured against, each in a process of its own, at work only when it is its turn."""
