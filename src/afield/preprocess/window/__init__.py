"""Rows to windows of consecutive rows; `spec` declares the step, `step` does the work."""
