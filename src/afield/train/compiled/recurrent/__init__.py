"""Fast LSTM and GRU for Keras on JAX."""

from afield.train.compiled.recurrent.hook import fast_recurrence

__all__ = ["fast_recurrence"]
