"""Columns of a record replaced by tokens, cut short, or taken away, before anything else sees them."""
