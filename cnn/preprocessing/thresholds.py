"""Every number that the finding of ink rests on."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class SegmentationThresholds:
    """What counts as paper, ink, a rule and a mark.

    The side of a picture is that of a square with as many pixels; levels are those of 8 bits, 0 to 255.

    Attributes:
      working_side: of the picture in which the character is searched, in pixels.
      tight_side: up to which longer side a character may fill its picture, in pixels.
      widest_stroke: what is wider than this fraction of the side is no stroke.
      thin_stroke: the same at a second look, where the edge of a shadow may have passed for a stroke.
      max_uniform_range: how far apart the levels of even paper are at most.
      min_frame_contrast: how far apart the levels of a frame and of what it surrounds are at least.
      sheet_border: share of the border that is as light as a sheet with a table about it, at most.
      sheet_area: of such a sheet, at least, as a fraction of the picture's.
      sheet_slender: how many times as long as wide it is, at most.
      sheet_light: how light the table is, at most, as a fraction of the threshold between them.
      two_levels: share of a picture's variance that lies between its two levels, at least.
      one_level: share of the pixels on one side that have its level: of doubtful paper, of good, of sure.
      paper_border: share of the border that shows paper, where a picture of two levels is a character.
      most_ink: share of a picture's pixels that are ink, at most.
      skew_windows: widths of the windows whose medians are compared with pixels, as fractions of the side.
      skewed: sum of the skewnesses from which dark ink is told from light without doubt.
      min_contrast: of ink with its paper, in levels.
      above_noise: how many deviations of the paper's noise ink stands out.
      min_ink_fraction: ink, as a fraction of the strongest in the picture.
      rule_side: longer side of the picture in which rules are searched, in pixels.
      rule_slope: of a rule, either way, in degrees.
      rule_ink: a rule's mean ink, of a full line's, at least; so much more than beside it; at both ends.
      rule_length: the fraction of its length on which a rule has ink.
      bar_length: of what is drawn along an edge, at least, as a fraction of the picture's.
      bar_width: of it, at most, as a fraction of the picture's longer side.
      line_slender: how many times as long as wide a line near an edge is.
      line_width: of a line across the picture, at most, as a fraction of the picture's.
      flattest: how many times as wide as high a character is at most.
      box_side: of a drawn box, at least, as a fraction of the picture's.
      again: how far about a small character is looked again, as a fraction of its longer side.
      sharp: how steeply ink rises at a mark's edge, as a fraction of its strength a pixel; shadows do not.
      near: marks are one character up to this fraction of the main mark's longer side apart.
      beside: what is nearly as high is another character, from a gap of this fraction of the height on.
      speck: a mark of less than this fraction of the main mark's ink is dropped.
      full_stop: size of a full stop, as a fraction of the main mark's height.
      several: a mark with this fraction of the main mark's ink, and half as high, is another character.
      min_stroke_width: what strokes of a large character are widened to, in pixels of the frame of 28.
    """

    working_side: int = 150
    tight_side: int = 48
    widest_stroke: float = 0.33
    thin_stroke: float = 0.13

    max_uniform_range: int = 12
    min_frame_contrast: int = 60
    sheet_border: float = 0.3
    sheet_area: float = 0.2
    sheet_slender: float = 3
    sheet_light: float = 0.75
    two_levels: float = 0.8
    one_level: tuple[float, float, float] = (0.5, 0.8, 0.95)
    paper_border: float = 0.75
    most_ink: float = 0.6
    skew_windows: tuple[float, float, float] = (0.15, 0.3, 0.45)
    skewed: float = 3

    min_contrast: float = 8
    above_noise: float = 3.5
    min_ink_fraction: float = 0.12

    rule_side: int = 110
    rule_slope: int = 10
    rule_ink: tuple[float, float, float] = (0.4, 0.3, 0.3)
    rule_length: float = 0.7

    bar_length: float = 0.7
    bar_width: float = 0.35
    line_slender: float = 8
    line_width: float = 0.08
    flattest: float = 3
    box_side: float = 0.3
    again: float = 0.1
    sharp: float = 0.15
    near: float = 0.25
    beside: float = -0.1
    speck: float = 0.04
    full_stop: float = 0.3
    several: float = 0.25

    min_stroke_width: float = 2.2


THRESHOLDS = SegmentationThresholds()
