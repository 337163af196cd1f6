"""Thresholds of `cnn.preprocessing.background` and `foreground`."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class BackgroundThresholds:
    """Thresholds that separate background and ink.

    Shares are fractions of pixels. Widths are fractions of the equivalent side.
    """

    # Longest side of an image that a character may fill, in pixels. Data sets have
    # crops of this size, and photographs are larger.
    max_cropped_side: int = 64

    # Uniform background.

    # Level of ink, as a fraction of the maximum.
    uniform_ink_fraction: float = 0.5
    # Largest share of ink. If there is more, the border is ink or a frame.
    max_uniform_ink_share: float = 0.5

    # Two levels, by Otsu's threshold.

    # Smallest share of the variance that lies between the two classes. A normal
    # distribution that is cut in two has 64 % there, and a uniform one 75 %.
    min_between_class_share: float = 0.8
    # Smallest share of the background's pixels near its median.
    min_background_share: float = 0.5
    # Smallest share of either class near its median, in an image that a character may
    # not fill.
    min_strict_share: float = 0.8
    # Share of the background's pixels near its median from which it is unambiguous.
    min_certain_share: float = 0.95
    # Share of the background's pixels at its median from which it is unambiguous: no
    # camera repeats a level that often.
    min_exact_share: float = 0.5
    # Smallest share of the border that is background, in an image that a character
    # may not fill.
    min_border_share: float = 0.75
    # Largest share of ink.
    max_ink_share: float = 0.6

    # Polarity, by skewness.

    # Equivalent side of the image that is measured, in pixels.
    polarity_side: int = 64
    # Widths of the median filters, narrowest first. Wide ones see thick strokes, and
    # narrow ones ignore the edges of shadows.
    skewness_windows: tuple[float, float, float] = (0.15, 0.3, 0.45)
    # Smallest absolute sum of the skewnesses that decides the polarity.
    min_total_skewness: float = 3
    # The same for the sum without the widest window.
    min_narrow_skewness: float = 6

    # Morphological closing.

    # Largest width of a stroke. Wider areas are background.
    max_stroke_width: float = 0.33
    # The same for the second candidate, in which the edge of a shadow is background.
    max_thin_stroke_width: float = 0.13
    # Stroke width from which the smaller image below shows enough.
    wide_stroke_width: float = 0.2
    # Equivalent side of the image that is closed, in pixels, for wide strokes.
    wide_stroke_side: int = 64
    # The same for thin strokes, which a smaller image would lose.
    thin_stroke_side: int = 96
    # Level to which a light background is scaled. It is that of white paper in a
    # photograph.
    white_level: float = 220
    # Darkest background that is scaled in full, as a fraction of the lightest. Scaling
    # would amplify the noise of darker areas too much.
    min_illumination: float = 0.4

    # Resampling.

    # Scale below which an image is reduced by averaging areas. Above it, linear
    # interpolation is as good and quicker.
    max_area_scale: float = 0.5
    # Number of pixels below which a distribution is measured on all. Of larger images,
    # every second row and column is enough.
    max_exact_pixels: int = 5_000
