"""Thresholds of `cnn.preprocessing.page_boundary`."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class PageBoundaryThresholds:
    """Thresholds of a uniform frame and of a sheet on a darker surface.

    Shares are fractions of pixels.
    """

    # Uniform frame.

    # Smallest number of interior pixels, per pixel of the longer side. Counting them
    # rejects most images before rows and columns are measured.
    min_interior_pixels: int = 5
    # Share of a row or column that differs from the frame, from which it crosses the
    # interior.
    min_crossing_share: float = 0.5
    # Smallest number of such rows, and of such columns.
    min_interior_side: int = 10
    # Width of the frame's antialiased edge, which is cut off, in pixels.
    soft_edge: int = 1
    # Margin around the interior in which differing pixels belong to it, in pixels.
    outer_margin: int = 2
    # Smallest share of the differing pixels inside. The ends of a thick stroke reach
    # beyond the rectangle.
    min_enclosed_share: float = 0.95
    # Smallest share of the interior's border that differs from the frame.
    min_straight_share: float = 0.95
    # Smallest share of the interior that differs from the frame.
    min_filled_share: float = 0.7

    # Sheet on a darker surface.

    # Equivalent side of the image in which the sheet is searched, in pixels.
    sheet_side: int = 64
    # Largest share of the image border that is as light as the sheet.
    max_light_border_share: float = 0.3
    # Smallest area of the sheet, as a fraction of the image.
    min_sheet_area: float = 0.2
    # Largest ratio of the sheet's sides. A thick stroke of chalk is longer.
    max_aspect_ratio: float = 3
    # Largest number of image edges that the sheet touches. A sheet that leaves the
    # image on two sides may as well be the light side of a shadow's edge.
    max_border_contacts: int = 1
    # Largest median level of the surroundings, as a fraction of Otsu's threshold.
    max_surroundings_level: float = 0.75
    # Smallest share of the sheet that is light.
    min_light_share: float = 0.8
    # Kernel side of the erosion that removes the sheet's blurred edge, in pixels.
    edge_kernel: int = 5
    # Standard deviation of the blur that continues the sheet, in pixels.
    fill_sigma: float = 8
    # Weight of the sheet's median where the sheet is far away.
    median_weight: float = 1e-3

    # Quadrilateral.

    # Tolerance of the polygon, as a fraction of the hull's perimeter.
    polygon_tolerance: float = 0.04
    # Smallest area of the region and of the polygon, as a fraction of the hull's.
    min_hull_share: float = 0.93
