"""From files as they are found to one table, with the place of every row."""
