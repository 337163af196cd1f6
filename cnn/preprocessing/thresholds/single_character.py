"""Thresholds of `cnn.preprocessing.single_character`."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class SingleCharacterThresholds:
    """Thresholds of the first look, for one character on plain paper."""

    # Smallest contrast, in levels. Beside fainter ink, faint lines matter.
    min_contrast: float = 70
    # Largest area of all other ink, as a fraction of the character's.
    max_rest: float = 0.05

    # Lines that cross the image, by `RuledLineThresholds`: they have ink in 0.7 of
    # their 12 segments, and in the first or second of either end.

    # Smallest length, as a fraction of the image's side.
    min_line_length: float = 0.64
    # Largest distance of an end from the image's edge, as a fraction of that side.
    max_end_margin: float = 0.18
    # Smallest distance from the edge beside a line, as a fraction of the same side,
    # from which a line that leaves the image there would have too little ink.
    min_side_margin: float = 0.06
