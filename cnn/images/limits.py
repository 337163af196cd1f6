"""Every number that the reading of a picture rests on."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Limits:
    """What counts as paper, ink, a mark and a speck.

    Attributes:
      working_side: the longer side at which a picture is searched, in pixels.
      tight_side: up to which longer side, in pixels, a character may fill its picture.
      widest_stroke: what is wider than so much of the longer side is no stroke.
      thin_stroke: the same for a second look, where light may have passed for a stroke.
      least_contrast: of ink that is ink, in levels of 255.
      noise: how many deviations of the paper's noise ink stands out.
      weakest: ink, as a fraction of the strongest in the picture.
      near: marks are one character up to so much of its longer side apart.
      speck: a mark of less than this fraction of the main mark's ink is dropped.
      sharp: rise of ink at a mark's edge, as a fraction of its strength a pixel; light rises slower.
      several: another mark with so much of the main mark's ink is another character.
    """

    working_side: int = 280
    tight_side: int = 48
    widest_stroke: float = 0.33
    thin_stroke: float = 0.13
    least_contrast: float = 8
    noise: float = 3.5
    weakest: float = 0.12
    near: float = 0.25
    speck: float = 0.04
    sharp: float = 0.15
    several: float = 0.25


LIMITS = Limits()
