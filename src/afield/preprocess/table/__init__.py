"""Columns of a table to features; `spec` declares the step, `step` does the work."""
