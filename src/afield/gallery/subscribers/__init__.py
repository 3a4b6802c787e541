"""Human or machine? The use case, and a simulator of twelve days of behaviour of each subscriber."""
