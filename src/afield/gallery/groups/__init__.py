"""Which customers are alike? The use case of groups that nobody has named, and a simulator of customers."""
