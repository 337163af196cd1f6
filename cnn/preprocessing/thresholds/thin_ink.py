"""Thresholds of `cnn.preprocessing.thin_ink`."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class ThinInkThresholds:
    """Thresholds of strokes that are thinner than a pixel of the searched image.

    The zoom is the ratio of the full resolution to the searched one.
    """

    # Smallest zoom at which such strokes lose their contrast.
    min_zoom: float = 2
    # Equivalent side of the image that is measured, in pixels. Larger ones are reduced
    # by the darkest of neighboring pixels.
    max_side: int = 1000
    # Kernel side of the closing in the searched image, in pixels, for all strokes but
    # those of markers and brushes.
    kernel_in_searched: int = 7
    # Contrast in the searched image, in levels, from which it shows enough.
    max_searched_contrast: float = 60
    # Kernel side of the closing at full resolution, as a multiple of the zoom, and the
    # smallest, in pixels. It closes strokes of up to this width.
    kernel_to_zoom: float = 1.5
    min_kernel: int = 5
    # Smallest contrast at full resolution, as a multiple of that in the searched image.
    # A stroke of half of a searched pixel doubles it.
    min_gain: float = 1.8
    # Prior probability relative to the ordinary foreground's. The gain is evidence.
    weight: float = 4
