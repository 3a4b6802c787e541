"""Trials on the machines of a Ray cluster: populations as tasks, judged as one machine would judge them."""
