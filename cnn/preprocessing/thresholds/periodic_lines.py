"""Thresholds of `cnn.preprocessing.lines.periodic_lines`."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class PeriodicLineThresholds:
    """Thresholds of equidistant printed lines.

    Frequencies are in periods per image side. The power of a frequency is divided by
    the median power of similar frequencies.
    """

    # Equivalent side of the image that is searched, in pixels. It resolves squares that
    # the smaller image of the other steps shows as a gray area.
    search_side: int = 360
    # Smallest longer side of an image with such lines, in pixels.
    min_side: int = 100
    # Equivalent side of the image in which the background is blurred, in pixels.
    background_side: int = 64
    # Standard deviation of the blur that is the background, as a fraction of the longer
    # side. Wider spaces between lines are left to the search for single lines.
    background_sigma: float = 0.05
    # Level to which the background is scaled.
    white_level: float = 200
    # Largest deviation from the background, in standard deviations. Dark ink and the
    # edges of shadows would hide faint lines.
    max_deviation: float = 5
    # Largest slope of a line in either direction, in degrees.
    max_slope_degrees: float = 7
    # Lowest frequency that is searched. Lower ones are the character's.
    min_frequency: int = 5
    # Smallest number of lines in the image. Fewer are left to the search for single
    # lines, which leaves nothing of them.
    min_lines: int = 8
    # Similar frequencies, as multiples of a frequency.
    similar_low: float = 0.7
    similar_high: float = 1.35
    # Smallest power of lines. JPEG's blocks and the lobes of straight strokes reach 12
    # in most images without lines, squares as faint as 1 % reach 16.
    min_line_power: float = 15
    # Smallest amplitude of lines, in levels.
    min_amplitude: float = 0.8
    # Amplitude of noise in an image without any, in levels. Otherwise the lobes of
    # straight strokes would have great power there.
    noise_amplitude: float = 0.1
    # Smallest power of the other frequencies of the same lines.
    min_harmonic_power: float = 4
    # Frequencies on each side that are removed, too.
    peak_reach: int = 2
    # Largest share of all frequencies that is removed. More are harmonics of a few wide
    # lines, or strokes.
    max_line_share: float = 0.6

    # Unevenly printed lines.

    # Share of a line's pixels that are at least as dark as the line is taken to be. A
    # stroke that covers less of a line stays.
    line_quantile: float = 0.85

    # Extent.

    # Number of blocks along the lines in which their strength is measured.
    num_blocks: int = 4
    # Smallest strength of the weakest block, as a fraction of the strongest. Blur and
    # perspective weaken lines, a margin or a box has none elsewhere.
    min_block_strength: float = 0.25
