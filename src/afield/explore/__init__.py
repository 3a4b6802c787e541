"""Whether data can answer the question: what it holds, what is wrong with it, and what simple models make of it."""
