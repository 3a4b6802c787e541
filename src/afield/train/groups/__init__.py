"""Records that belong together: each becomes a vector, and vectors that lie near each other become a group."""
