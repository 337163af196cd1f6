"""Every number that the finding of ink rests on."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Limits:
    """What counts as paper, ink, a rule and a mark.

    The side of a picture is that of a square with as many pixels.

    Attributes:
      working_side: of the picture in which the character is searched, in pixels.
      tight_side: up to which longer side a character may fill its picture, in pixels.
      widest_stroke: what is wider than this fraction of the side is no stroke.
      thin_stroke: the same at a second look, where the edge of a shadow may have passed for a stroke.
      least_contrast: of ink with its paper, in levels of 255.
      above_noise: how many deviations of the paper's noise ink stands out.
      weakest: ink, as a fraction of the strongest in the picture.
      rule_side: longer side of the picture in which rules are searched, in pixels.
      rule_slope: of a rule, either way, in degrees.
      rule_ink: a rule's mean ink, of a full line's, at least; so much more than beside it; at both ends.
      rule_length: the fraction of its length on which a rule has ink.
      sharp: how steeply ink rises at a mark's edge, as a fraction of its strength a pixel; shadows do not.
      near: marks are one character up to this fraction of the main mark's longer side apart.
      speck: a mark of less than this fraction of the main mark's ink is dropped.
      full_stop: size of a full stop, as a fraction of the main mark's height.
      several: a mark with this fraction of the main mark's ink, and half as high, is another character.
    """

    working_side: int = 200
    tight_side: int = 48
    widest_stroke: float = 0.33
    thin_stroke: float = 0.13
    least_contrast: float = 8
    above_noise: float = 3.5
    weakest: float = 0.12
    rule_side: int = 160
    rule_slope: int = 10
    rule_ink: tuple[float, float, float] = (0.4, 0.3, 0.3)
    rule_length: float = 0.7
    sharp: float = 0.15
    near: float = 0.25
    speck: float = 0.04
    full_stop: float = 0.3
    several: float = 0.25


LIMITS = Limits()
