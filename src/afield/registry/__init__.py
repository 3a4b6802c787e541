"""The versions of a use case, and the record of what was done to them."""
