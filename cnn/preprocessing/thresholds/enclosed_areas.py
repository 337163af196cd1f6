"""Thresholds of `cnn.preprocessing.enclosed_areas` and `enclosed_filling`."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class EnclosedAreaThresholds:
    """Thresholds of the area in a ring or box, or of a disc or card.

    Shares are fractions of pixels. The marks are what is written in the area.
    """

    # Image that is searched.

    # Largest longer side of an image without any search, in pixels. Data sets have such
    # crops, in which the gaps of a character are a pixel wide.
    max_plain_side: int = 39
    # Smallest equivalent side, in pixels. Smaller images are enlarged, because a gap of
    # one pixel between a ring and a digit closes.
    min_searched_side: int = 90
    # Largest factor by which an image is enlarged.
    max_enlargement: int = 4
    # Window of the local mean, as a fraction of the equivalent side. A line that is
    # wider is seen by Otsu's threshold only.
    mean_window: float = 0.2
    # Difference from the local mean from which a pixel belongs to a line, as a fraction
    # of the largest such difference.
    min_line_fraction: float = 0.09
    # The same in levels. Smaller differences are noise.
    min_line_contrast: float = 6
    # Dilations of the lines that close a gap in a ring, as fractions of the equivalent
    # side. The gap is at most as wide.
    gap_dilations: tuple[float, ...] = (0.02, 0.045)

    # Shape of the area.

    # Smallest side of the area, as a fraction of the image's shorter side. A card of
    # 3 % of the picture has a side of 17 %.
    min_side: float = 0.1
    # Smallest side, in pixels of the image that is searched.
    min_side_px: int = 12
    # Largest ratio of the area's sides.
    max_aspect_ratio: float = 3
    # Smallest share of the convex hull that the area covers.
    min_convexity: float = 0.9
    # Largest share of the image border in the area. The edge of a shadow encloses areas
    # together with the border.
    max_border_share: float = 0.03
    # Number of other regions beside an area from which they are the cells of a grid.
    min_grid_cells: int = 3
    # Smallest size of such a region, as a fraction of the area's.
    min_cell_area: float = 0.15

    # Marks in the area.

    # Smallest and largest height of the marks, as a fraction of the area's. Lower ones
    # are specks, or the dot in a 0.
    min_mark_height: float = 0.25
    max_mark_height: float = 0.95
    # Smallest perimeter of one mark, as a fraction of the largest one's.
    min_relative_mark_size: float = 0.15
    # Largest share of the area that the marks and what they enclose cover.
    max_mark_share: float = 0.45
    # Smallest contrast of the marks, as a fraction of the contrast at the boundary.
    min_relative_contrast: float = 0.09
    # The same for marks that only a threshold of the area's own shows. The texture of
    # the paper in a loop of a character is weaker.
    min_split_contrast: float = 0.3
    # Quantile of the marks' contrast that represents their ink without soft edges.
    strong_mark_quantile: float = 0.8
    # Smallest contrast of the marks and of the boundary, as a multiple of the noise.
    min_contrast_to_noise: float = 4
    # Smallest share of a mark that its holes cover. Less is noise.
    min_hollow_share: float = 0.05
    # Largest share of the convex hull of a convex mark that it does not cover.
    max_convex_loss: float = 0.25
    # Smallest ratio of length to width of a convex mark that may be a 1. A less
    # elongated one is the hole of a thick 0.
    min_stroke_aspect_ratio: float = 2.2
    # Largest ratio of height to width of an area in which a single straight stroke is a
    # 1. In a higher one, it may be the slash or the hole of a 0.
    max_round_aspect_ratio: float = 1.25
    # Largest angle of that 1 with the vertical, in degrees.
    max_stroke_angle: float = 40

    # Small card.

    # Largest side of what is taken for a character and searched for another one, as a
    # fraction of the image's shorter side.
    max_small_side: float = 0.45
    # Margin around it on each side, as a fraction of its side.
    small_margin: float = 0.3

    # Filling.

    # Erosion that removes the blurred boundary, as a fraction of the area's side, and
    # its limits in pixels of the image that is searched.
    boundary_width: float = 0.03
    max_boundary_px: int = 3
    # Standard deviation of the blur that continues the area's levels, as a fraction of
    # its side.
    fill_sigma: float = 0.15
    # Weight of the area's median where the area is far away.
    median_weight: float = 1e-3
    # Largest number of areas in one another that are searched.
    max_depth: int = 3

    # Ink that makes the search worthwhile.

    # Coverage from which a pixel of a segmentation is ink.
    min_enclosing_coverage: float = 0.3
    # Share of its bounding box that solid ink fills. A disc fills 79 %, and a disc with
    # a digit left out less.
    min_solid_share: float = 0.45
    # Share of its bounding box that a ring encloses. The loops of 6, 8 and 9 are
    # smaller.
    min_hole_share: float = 0.3
    # Smallest height of a mark in a ring, as a fraction of the ring's.
    min_nested_height: float = 0.12
