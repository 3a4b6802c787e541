"""Text to numbers of characters and back; `spec` declares the step, `step` does the work."""
