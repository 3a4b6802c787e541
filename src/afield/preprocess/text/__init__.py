"""Text to sparse rows of term weights; `spec` declares the step, `step` does the work."""
