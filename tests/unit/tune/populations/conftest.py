"""Keras on its JAX backend, on the CPU."""

from afield.train.backend import prepare

prepare("cpu")
