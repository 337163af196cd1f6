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

    # Lines that end inside the image, by `LineSegmentThresholds`: they are 2.5 times as
    # long as a character that they touch, and 7 times as long as wide.

    # Largest width, as a fraction of the length, and what blurred edges add in pixels.
    max_line_width: float = 0.15
    edge_width: int = 3
    # Largest side of the character, as a fraction of the line's length.
    max_side_to_line: float = 0.42
    # Distance from the image's edge, in pixels, up to which a line ends there.
    border_margin: int = 4
