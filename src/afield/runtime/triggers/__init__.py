"""When the model answers: the seam of triggers, and those that come with Afield."""

from afield.runtime.triggers.arrival import OnArrival
from afield.runtime.triggers.base import Firings, Trigger, Waiting

__all__ = ["Firings", "OnArrival", "Trigger", "Waiting"]
