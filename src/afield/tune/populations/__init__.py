"""Many networks in one compiled program."""

from afield.tune.populations.grouping import Group, grouped
from afield.tune.populations.population import Population, PopulationMemoryError
from afield.tune.populations.state import PopulationState

__all__ = ["Group", "Population", "PopulationMemoryError", "PopulationState", "grouped"]
