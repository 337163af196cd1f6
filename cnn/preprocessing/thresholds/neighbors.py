"""Thresholds of `cnn.preprocessing.neighbors`."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class NeighborThresholds:
    """Thresholds that tell a character from pieces of its neighbors in a crop."""

    # Smallest factor of a component's weight by its distance from the middle column.
    min_middle_factor: float = 0.1
    # Largest share of a component's columns that are those of the main component, if it
    # is beside it. Slanted neighbors and long tails share some.
    max_shared_columns: float = 0.4
    # Smallest share of a component's rows in which it must be outside the main one, if
    # it shares more columns.
    min_shared_rows: float = 0.5
