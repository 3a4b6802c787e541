"""Simple models that a network must beat to be worth its cost."""
