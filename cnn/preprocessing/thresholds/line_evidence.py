"""Thresholds of `cnn.preprocessing.lines.line_evidence`."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class LineEvidenceThresholds:
    """Thresholds of the evidence that a line is printed, not written."""

    # Measurement.

    # Smallest area of a mark, as a share of all ink. Smaller ones are noise.
    min_mark_share: float = 0.03
    # Quantile of the levels of the remaining ink that is the pen's level.
    pen_quantile: float = 0.75
    # Level from which a column belongs to a line, as a fraction of the line's median.
    min_line_fraction: float = 0.5
    # The same, as a fraction of the ink threshold, which is above the noise.
    min_ink_fraction: float = 0.7
    # Largest distance of a line's end from the edge of the image, as a share of the
    # line's length in the image. One pixel is always near enough.
    max_end_gap: float = 0.012
    # Largest margin around a character that its picture is cut out along, as a share
    # of the picture's side.
    max_crop_margin: float = 0.08

    # Decision.

    # Level of a line, relative to the pen's, below which it is no stroke of the pen.
    # The pressure of a pen varies by a fourth.
    max_pale_ratio: float = 0.7
    # Level, relative to the pen's, below which a line that ends inside is none, either.
    max_very_pale_ratio: float = 0.45
    # Largest factor between the levels of lines that are printed alike.
    max_level_factor: float = 1.5
    # Number of other parallel lines from which they rule the paper. A 7 with a bar has
    # two parallel strokes.
    min_parallel: int = 2
    # Length of a line, relative to the remaining ink, from which it is no stroke. The
    # base of a wide 2 is as long as the 2 is high.
    min_relative_length: float = 1.8

    # Probabilities that a line is printed, if none of the above decides.

    # A pale line that ends inside the image on both sides. Shadows hide ends.
    pale_inside: float = 0.5
    # A line that crosses a picture which is cut out along the ink.
    filling: float = 0.35
    # A line with one end at an edge that is much longer than the other ink.
    long_one_end: float = 0.93
    # A line with one end at an edge.
    one_end: float = 0.3
    # A line from edge to edge, in a picture with space around the other ink.
    two_ends: float = 0.9
    # Probability from which a line is removed, or not, without a second reading.
    certain: float = 0.97
