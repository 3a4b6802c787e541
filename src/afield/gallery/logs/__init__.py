"""Which log does a line come from? The use case, and a simulator of seven kinds of log."""
