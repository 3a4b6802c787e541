"""Which fault does a node have? The use case, and a simulator of the minute counters of an IMS node."""
