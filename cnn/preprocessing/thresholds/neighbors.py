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

    # Neighbors that touch the character.

    # Largest amount of ink on a seam that crosses one stroke, as a multiple of the
    # strokes' width. Strokes are crossed at an angle.
    max_crossed_width: float = 1.5
    # The same for a seam that crosses several strokes, where they are thin or faint.
    max_crossed_widths: float = 1.2
    # Smallest height of a neighbor's piece, as a fraction of the character's. Lower
    # ones are the ends of the character's own strokes.
    min_piece_height: float = 0.4
    # Largest share of the ink that is a neighbor's.
    max_piece_share: float = 0.4
    # Half of the width of the middle that no seam may cross at half height, as a
    # fraction of the image's width.
    middle_zone: float = 0.12
    # Cost of a seam along the edge, in widths of a stroke, against one near the middle.
    edge_cost: float = 0.1
    # Cost of a diagonal step of a seam, in pixels of ink. A seam may be slanted.
    diagonal_cost: float = 0.05
    # Weight of the character without a piece that one stroke joins to it.
    cut_weight: float = 1.0
    # The same for several strokes, which may also be a loop of the character.
    double_cut_weight: float = 0.4

    # Polarity of a crop whose character may touch all edges.

    # Rise of the log odds that the lighter level is background, by the share of the
    # border that it covers. Of simulated binary crops 99.5 % are decided rightly.
    border_log_odds: float = 15
    # Rise of these log odds by the logarithm of the ratio of both levels' largest
    # thicknesses. It decides where half of the border is ink.
    thickness_log_odds: float = 2.5
    # Smallest odds of the less likely polarity at which it is returned.
    min_polarity_weight: float = 0.05
    # Distance of the background's share of the border from a half, from which it alone
    # decides the polarity of a gray crop whose local contrast is open.
    min_border_majority: float = 0.2

    # Noise of a crop.

    # Largest noise, as a fraction of the contrast, where neighboring pixels differ
    # less. Ink then starts at 30 % of the contrast.
    max_noise_share: float = 0.085
