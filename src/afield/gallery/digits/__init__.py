"""Which digit is it? The use case, and small handwritten digits for where no MNIST files are at hand."""
