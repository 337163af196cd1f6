"""Thresholds of `cnn.preprocessing.lines.line_detection` and `ruled_lines`."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class RuledLineThresholds:
    """Thresholds of printed lines that cross an image.

    Ink is measured from 0, background, to 1, at the ink threshold and above.
    """

    # Detection, by a Radon transform.

    # Longer side of the image that is searched, in pixels.
    search_side: int = 110
    # Largest slope of a line in either direction, in degrees. One slope per degree is
    # tried, so the time of the search grows with it.
    max_slope_degrees: int = 10
    # Number of segments in which a line is measured. A stroke that follows a line for
    # a while fills only some of them.
    num_segments: int = 12
    # Largest number of lines per direction.
    max_lines: int = 16
    # Weight of the rows above and below. A line may lie between two rows, or between
    # two of the slopes.
    adjacent_row_weight: float = 0.9
    # Ink of a segment from which the line covers it.
    min_segment_ink: float = 0.35
    # Smallest share of segments that the line covers.
    min_covered_share: float = 0.7
    # Smallest number of segments that a line is compared with, as a share of all. It
    # is for lines that leave the image at the top or bottom.
    min_length_share: float = 0.5
    # Smallest mean ink of a line.
    min_line_ink: float = 0.4
    # Smallest difference of a line from the rows beside it, in mean ink.
    min_side_contrast: float = 0.3
    # Mean ink of an uninterrupted line.
    full_line_ink: float = 0.85
    # Smallest difference of an uninterrupted line from the rows beside it. A stroke
    # may follow it.
    min_full_line_contrast: float = 0.15
    # Smallest ink of a line at each of its ends.
    min_end_ink: float = 0.3
    # Distance of the rows beside a line, as the image height per row of distance.
    height_per_clear_row: int = 40
    # Smallest distance of the rows beside a line, in rows.
    min_clear_rows: int = 3

    # Refinement at full resolution.

    # Largest correction of a slope, in rows per column.
    max_slope_correction: float = 0.008
    # Number of slopes that are tried.
    num_slope_corrections: int = 5
    # Largest shift, in rows.
    max_shift: float = 2
    # Number of shifts that are tried, half a row apart.
    num_shifts: int = 9
    # Distance of the columns that are measured. A third of them is enough.
    column_step: int = 3

    # Removal.

    # Rows on each side of a line that contain its profile, as the image height per row.
    height_per_profile_row: int = 50
    # Smallest number of these rows.
    min_profile_rows: int = 3
    # Further rows on each side, which show the strokes that cross the line.
    crossing_rows: int = 2
    # Level of a line's edge, as a fraction of its middle.
    edge_fraction: float = 0.25
    # Width of a line per column of the means that are compared along it.
    width_per_mean: int = 12
    # Ratio of the median to the lower quartile of the levels along a line, from which a
    # darker stroke runs along half of it.
    min_stroke_ratio: float = 1.6
    # Multiple of the median profile that is subtracted. The ink of a line varies.
    profile_gain: float = 1.4
    # Share of a component on removed lines from which it is a residue.
    min_residue_share: float = 0.8
