"""A part of a page, for example a field of a form."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from cnn.errors import UsageError

_EXPECTED = (
    "expected LEFT,TOP,RIGHT,BOTTOM or NAME=LEFT,TOP,RIGHT,BOTTOM "
    "in fractions of the page, like id=0.38,0.42,0.70,0.47"
)


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


def parse_regions(texts: Sequence[str]) -> tuple[Region, ...]:
    """Parses the values of `--region`.

    Of several regions, those without a name are named by their place, from 1.

    Raises:
      UsageError: a value is not of this form, is outside of the page, or has the name
        of another one.

    Example:
      >>> parse_regions(["id=0,0,0.5,0.1"])
      (Region(left=0.0, top=0.0, right=0.5, bottom=0.1, name='id'),)
      >>> [region.name for region in parse_regions(["0,0,1,0.5", "0,0.5,1,1"])]
      ['1', '2']
    """
    regions = [_parse_region(text) for text in texts]
    if len(regions) > 1:
        numbered = enumerate(regions, start=1)
        regions = [r._replace(name=r.name or str(number)) for number, r in numbered]
    names = [region.name for region in regions]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"--region: expected a name of its own for each region, got {name} "
                f"{names.count(name)} times"
            )
    return tuple(regions)


def _parse_region(text: str) -> Region:
    name, equals, edges = text.rpartition("=")
    name = name.strip()
    if equals and not (name and name.isprintable()):
        raise UsageError(f"--region: {_EXPECTED}, got {text}")
    try:
        left, top, right, bottom = map(float, edges.split(","))
    except ValueError as error:
        raise UsageError(f"--region: {_EXPECTED}, got {text}") from error
    inside = all(math.isfinite(x) and 0 <= x <= 1 for x in (left, top, right, bottom))
    if not (inside and left < right and top < bottom):
        raise UsageError(
            "--region: expected 0 ≤ LEFT < RIGHT ≤ 1 and 0 ≤ TOP < BOTTOM ≤ 1, "
            f"in fractions of the page, got {text}"
        )
    return Region(left, top, right, bottom, name)
