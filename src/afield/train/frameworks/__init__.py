"""Models of other libraries, trained and exported so that they run as networks do."""
