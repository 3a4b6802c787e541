"""Rows of a table or a query, in the order of a column that grows."""
