"""Human or robot? The use case of an auction's bidders, and a simulator of their behaviour."""
