"""What is abnormal? The use case of counters that nobody has labelled, and a simulator of them."""
