"""How does a text go on? The use case of a network that writes, and a simulator of a text to learn from."""
