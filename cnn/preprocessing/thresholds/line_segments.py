"""Thresholds of `line_segments` and `lines_beside_character`."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class LineSegmentThresholds:
    """Thresholds of straight lines that may end inside the image."""

    # Detection. A line is measured in sections of the image's columns.

    # Number of sections.
    num_sections: int = 14
    # Largest slope in either direction, in degrees. Printed lines are nearly parallel
    # to the edges, and a handwritten 1 is mostly steeper.
    max_slope_degrees: int = 8
    # Number of slopes that are tried.
    num_slopes: int = 13
    # Smallest share of a section with ink from which the line covers it. Stitches
    # leave half of it blank.
    min_section_ink: float = 0.35
    # Smallest number of adjacent sections that a line covers.
    min_covered_sections: int = 4
    # Smallest length, as a fraction of the image's longer side.
    min_length: float = 0.14
    # Largest number of lines per direction.
    max_lines: int = 5
    # Largest number of wide strokes that are passed over in their search.
    max_rejected: int = 1
    # Smallest ratio of length to width.
    min_aspect_ratio: float = 7
    # Rows on each side of a line that contain its profile, as the image height per row.
    height_per_profile_row: int = 25
    # Smallest number of these rows.
    min_profile_rows: int = 5
    # Share of a line's columns that have less than its profile. The gaps between
    # stitches are no part of the profile.
    profile_quantile: float = 0.7
    # Level of a line's edge, as a fraction of its middle.
    edge_fraction: float = 0.25
    # Largest gap inside a line, as a fraction of the image's width.
    max_gap: float = 0.05
    # Smallest gap that may be inside a line, in pixels.
    min_gap: int = 3
    # Distance from the image border, in pixels, within which a line reaches it.
    border_margin: int = 3
    # Share of a component on removed lines from which it is a residue.
    min_residue_share: float = 0.7

    # Evidence that a line is no stroke.

    # Smallest ratio of the sides of a selection that may be a line, or a character with
    # a line that is far longer.
    min_selection_aspect: float = 1.5
    # Smallest length of a line, as a fraction of the longer side of the character that
    # it was selected with. A line that is far longer than the rest spans nearly all.
    min_share_of_selection: float = 0.75

    # Shares of the longest line's length. Shorter lines may be strokes, so they are
    # removed first with and then without these.
    length_shares: tuple[float, ...] = (0.35, 0.6, 1.0)
    # Smallest longer side of another character, in pixels. Less is dust.
    min_character_side: int = 8
    # Smallest ratio of a character's longer side to the width of its strokes. Specks
    # and full stops are compact.
    min_side_to_stroke: float = 2.6
    # Smallest contrast of a character, as a multiple of the noise.
    min_contrast_to_noise: float = 5
    # Ratio of a line's length to the character's longer side from which a line beside
    # the character may be none of its strokes, probably is none, and certainly is none.
    min_length_ratio: float = 1.4
    likely_length_ratio: float = 1.7
    certain_length_ratio: float = 2.0
    # The same from which a line beside the character that ends inside the image
    # certainly is none. A 1 is as high as its neighbors, or beside a smaller stain.
    certain_inside_ratio: float = 3.0
    # The same ratio from which a nearly vertical line that touches the character, and
    # ends with it, may be none of its strokes. The stem of a 9 is up to 2.5 times as
    # long as its loop.
    min_touching_ratio: float = 2.7
    # The same ratio of one that passes the character at both ends, but ends inside the
    # image. The stem of a 4 or of a 7 is up to 3.5 times as long as the rest.
    min_touching_inside_ratio: float = 4
    # The same ratio of a nearly horizontal line that touches the character. The base of
    # a 2 is longer than its other strokes are high.
    min_touching_rule_ratio: float = 2.5
    # Smallest length by which a line passes a character that it touches, at both ends,
    # as a fraction of the character's longer side. A stem of 4 or 9 ends with it.
    min_overshoot: float = 0.3
    # Contrast of the character, as a fraction of the lines', below which it may be a
    # stain, or ink from the other side of the paper, and below which it probably is.
    min_certain_contrast: float = 0.2
    min_likely_contrast: float = 0.12
    # Weights of the character without the lines, relative to the image with them.
    possible_weight: float = 1
    likely_weight: float = 8
    # Weight of a character that is more likely a stain beside a 1.
    stain_weight: float = 0.3
    # Weight from which the image with the lines is left out.
    certain_weight: float = 50
