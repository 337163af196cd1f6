"""A part of a page, for example a field of a form."""

from typing import NamedTuple


class Region(NamedTuple):
    """A part of a page, in fractions of the upright page's width and height.

    Attributes:
      left: in [0, 1), as is `top`.
      top: upper edge.
      right: right edge, in (left, 1].
      bottom: lower edge, in (top, 1].
      name: name of the region, or empty.
    """

    left: float
    top: float
    right: float
    bottom: float
    name: str = ""
