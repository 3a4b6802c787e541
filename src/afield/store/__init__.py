"""The database of a use case: SQLite inside its folder, or any other by URL."""
