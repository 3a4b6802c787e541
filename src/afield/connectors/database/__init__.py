"""What the source and the sink of databases share: how a database is declared, reached, and what its errors mean."""
