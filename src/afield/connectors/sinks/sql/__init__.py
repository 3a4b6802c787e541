"""Answers in a table, one row each."""
