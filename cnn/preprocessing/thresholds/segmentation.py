"""Thresholds of `cnn.preprocessing.segmentation`, and those of all other steps."""

import dataclasses

from cnn.preprocessing.thresholds.attached_lines import AttachedLineThresholds
from cnn.preprocessing.thresholds.background import BackgroundThresholds
from cnn.preprocessing.thresholds.components import ComponentThresholds
from cnn.preprocessing.thresholds.enclosed_areas import EnclosedAreaThresholds
from cnn.preprocessing.thresholds.line_evidence import LineEvidenceThresholds
from cnn.preprocessing.thresholds.line_segments import LineSegmentThresholds
from cnn.preprocessing.thresholds.neighbors import NeighborThresholds
from cnn.preprocessing.thresholds.page_boundary import PageBoundaryThresholds
from cnn.preprocessing.thresholds.periodic_lines import PeriodicLineThresholds
from cnn.preprocessing.thresholds.ruled_lines import RuledLineThresholds
from cnn.preprocessing.thresholds.single_character import SingleCharacterThresholds
from cnn.preprocessing.thresholds.slant import SlantThresholds
from cnn.preprocessing.thresholds.thin_ink import ThinInkThresholds


@dataclasses.dataclass(frozen=True)
class SegmentationThresholds:
    """Thresholds of the segmentation, in groups for its steps.

    Levels are gray levels from 0 to 255. The equivalent side of an image is the side
    of a square with as many pixels.
    """

    background: BackgroundThresholds = dataclasses.field(
        default_factory=BackgroundThresholds
    )
    page_boundary: PageBoundaryThresholds = dataclasses.field(
        default_factory=PageBoundaryThresholds
    )
    enclosed_areas: EnclosedAreaThresholds = dataclasses.field(
        default_factory=EnclosedAreaThresholds
    )
    periodic_lines: PeriodicLineThresholds = dataclasses.field(
        default_factory=PeriodicLineThresholds
    )
    ruled_lines: RuledLineThresholds = dataclasses.field(
        default_factory=RuledLineThresholds
    )
    line_evidence: LineEvidenceThresholds = dataclasses.field(
        default_factory=LineEvidenceThresholds
    )
    attached_lines: AttachedLineThresholds = dataclasses.field(
        default_factory=AttachedLineThresholds
    )
    line_segments: LineSegmentThresholds = dataclasses.field(
        default_factory=LineSegmentThresholds
    )
    thin_ink: ThinInkThresholds = dataclasses.field(default_factory=ThinInkThresholds)
    components: ComponentThresholds = dataclasses.field(
        default_factory=ComponentThresholds
    )
    neighbors: NeighborThresholds = dataclasses.field(
        default_factory=NeighborThresholds
    )
    single_character: SingleCharacterThresholds = dataclasses.field(
        default_factory=SingleCharacterThresholds
    )
    slant: SlantThresholds = dataclasses.field(default_factory=SlantThresholds)

    # Shared by several steps.

    # Largest range of a uniform background, in levels. A larger range is noise or
    # shading, and needs another estimate of the background.
    max_uniform_range: int = 12
    # Smallest contrast of ink, in levels. An image with less is blank.
    min_contrast: float = 8
    # Smallest level of ink, as a fraction of the contrast. Lower levels are the blurred
    # edges of strong ink.
    min_ink_fraction: float = 0.12
    # Smallest difference of a frame from its interior, in levels. Smaller differences
    # are shading.
    min_frame_contrast: int = 60
    # Smallest stroke width in the 28×28 network input, in pixels. It is the width of
    # MNIST's thin strokes. Thinner ones lose their contrast when an image is reduced.
    min_stroke_width: float = 2.2

    # Search for the character.

    # Equivalent side of the image that is searched, in pixels. With 120, an image takes
    # a fifth less time, and 0.24 percentage points fewer simulated pages are recognized
    # (tests/benchmarks/README.md).
    working_side: int = 150
    # Smallest longer side of an image with ruled lines, in pixels. In smaller images
    # the strokes of the character are as long as lines.
    min_ruled_side: int = 64
    # Margin that is kept around a character, in pixels, for its antialiased edge.
    character_margin: int = 2

    # Stains beside a 1.

    # Largest level of a stain, as a fraction of the 1's.
    max_stain_level: float = 0.5
    # Factor of the weight of a reading that takes a 1 for a line beside a stain.
    stain_weight: float = 0.05

    # Noise and contrast.

    # Noise, in levels of standard deviation, above which a faint image is blurred.
    max_sharp_noise: float = 3
    # Contrast, as a multiple of the noise, below which a noisy image is blurred.
    min_sharp_contrast: float = 20
    # Smallest contrast of ink, as a multiple of the noise. The largest of some
    # 20,000 normal deviates is about 4 standard deviations.
    min_contrast_to_noise: float = 5
    # Smallest level of ink, as a multiple of the noise. Only 5 of 20,000 normal
    # deviates exceed it.
    min_ink_to_noise: float = 3.5
    # Smallest level of ink, in levels, in an image without noise.
    min_ink_level: float = 5
    # Standard deviation of a normal distribution, as a multiple of its median absolute
    # deviation (MAD): 1.4826, rounded.
    mad_to_deviation: float = 1.5
    # Share of pixels below the background from which the noise is measured. With
    # fewer, the image is clean.
    min_noisy_share: float = 0.1
    # Largest number of the strongest pixels of which the weakest is the contrast.
    # More than one, because a single pixel may be an outlier.
    max_contrast_pixels: int = 8
    # The same number as a share of all pixels, for small images.
    contrast_share: float = 0.005
    # Level from which a pixel may be one of the strongest, as a fraction of the
    # maximum. Sorting these alone is quicker than sorting all.
    strong_fraction: float = 0.5

    # Soft mask of a character.

    # Noise below which an image is clean, in levels of standard deviation.
    max_clean_noise: float = 1
    # Quantile of the character's levels that becomes 1 in a noisy image.
    full_ink_quantile: float = 0.8
    # Level that becomes 0 in a noisy image, as a multiple of the noise.
    floor_to_noise: float = 3
    # Largest level that becomes 0, as a fraction of the level that becomes 1.
    max_floor_fraction: float = 0.4

    # Second search at full resolution.

    # Smallest ratio of the full to the searched resolution that adds detail.
    min_zoom: float = 1.3
    # Largest side of a character that is searched again, as a fraction of the image's
    # equivalent side. Larger characters have enough pixels.
    max_refined_side: float = 0.45
    # Surroundings on each side, as a fraction of the character's longer side, that
    # show the background.
    context_margin: float = 0.5
    # Margin on each side, as a fraction of the character's longer side, in which the
    # second search looks for ink.
    refined_margin: float = 0.1


THRESHOLDS = SegmentationThresholds()
