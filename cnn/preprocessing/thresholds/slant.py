"""Thresholds of `cnn.preprocessing.slant`."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class SlantThresholds:
    """Thresholds of slanted handwriting. A slant is the tangent of an angle."""

    # Smallest slant from which a character is read without its slant, too. 96 % of
    # MNIST's digits have less. Only those with more are read better without it.
    min_slant: float = 0.6
    # Largest slant that is removed. It is 45° and the slope that upright digits have by
    # their form. A larger one belongs to a stroke that lies.
    max_slant: float = 1.5
