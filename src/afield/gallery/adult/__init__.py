"""Does a person earn more than 50,000 a year? The use case, and a simulator of census records."""
