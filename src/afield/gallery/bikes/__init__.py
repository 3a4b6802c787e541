"""How many bikes are rented in an hour? The use case of a regression, and a simulator of two years of rentals."""
