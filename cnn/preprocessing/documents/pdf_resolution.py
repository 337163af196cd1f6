"""The resolution at which a page of a PDF is rendered: that of its scan, or 300 dpi."""

import itertools
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pypdfium2 import PdfObject, PdfPage

# Dots per inch of a page that is no scan.
DEFAULT_RESOLUTION = 300.0
POINTS_PER_INCH = 72.0
# Smallest part of a page, by area, that the images of a scan cover. Scanners leave out
# margins.
_MIN_SCAN_AREA = 0.7
# Smallest image that may decide the resolution, as a fraction of the largest one.
_MIN_PART = 0.5
# Objects of a page that are looked at. A scan has one image, or some dozens of strips,
# and a line of invisible text per line.
_MAX_OBJECTS = 2000
# Form objects in form objects, in which some programs wrap the image of a scan.
_MAX_DEPTH = 3
# Mode of text that is not drawn: the recognized text of a scan.
_INVISIBLE = 3

_Matrix = tuple[float, float, float, float, float, float]
_IDENTITY: _Matrix = (1, 0, 0, 1, 0, 0)


def find_resolution(page: "PdfPage") -> float:
    """Finds the resolution of a page in dots per inch.

    A page that shows the images of a scan, and nothing else, has their resolution. With
    anything else on it, it has at least the default one.
    """
    # Area in square points, and dots per point, of each image.
    images: list[tuple[float, float]] = []
    has_drawings = False
    for item, matrix in itertools.islice(_find_objects(page), _MAX_OBJECTS):
        if not _is_image(item):
            has_drawings = has_drawings or not _is_invisible_text(item)
            continue
        width, height = _size_on_page(matrix)
        columns, rows = item.get_px_size()
        if min(width, height) > 0:
            images.append((width * height, max(columns / width, rows / height)))
    page_area = page.get_width() * page.get_height()
    if sum(area for area, _ in images) < _MIN_SCAN_AREA * page_area:
        return DEFAULT_RESOLUTION
    resolution = POINTS_PER_INCH * _resolution_of_largest(images)
    return max(resolution, DEFAULT_RESOLUTION) if has_drawings else resolution


def _resolution_of_largest(images: list[tuple[float, float]]) -> float:
    """Returns the highest resolution among the images that are nearly the largest.

    A scan may be a coarse background and a fine mask of its ink. A logo beside it may
    be finer.
    """
    largest = max(area for area, _ in images)
    return max(dots for area, dots in images if area >= _MIN_PART * largest)


def _find_objects(
    page: "PdfPage", form: "PdfObject | None" = None, depth: int = 0
) -> Iterator[tuple["PdfObject", _Matrix]]:
    """Yields the objects of a page, those of forms too, and their place on the page."""
    from pypdfium2 import raw

    outer = _IDENTITY if form is None else _to_tuple(form.get_matrix())
    for item in page.get_objects(max_depth=1, form=form):
        if item.type != raw.FPDF_PAGEOBJ_FORM or depth >= _MAX_DEPTH:
            yield item, _multiply(_to_tuple(item.get_matrix()), outer)
            continue
        for inner, matrix in _find_objects(page, item, depth + 1):
            yield inner, _multiply(matrix, outer)


def _is_image(item: "PdfObject") -> bool:
    from pypdfium2 import raw

    return item.type == raw.FPDF_PAGEOBJ_IMAGE


def _is_invisible_text(item: "PdfObject") -> bool:
    from pypdfium2 import raw

    if item.type != raw.FPDF_PAGEOBJ_TEXT:
        return False
    return raw.FPDFTextObj_GetTextRenderMode(item.raw) == _INVISIBLE


def _size_on_page(matrix: _Matrix) -> tuple[float, float]:
    """Returns the width and height of an image, a unit square, in points."""
    a, b, c, d, _, _ = matrix
    return math.hypot(a, b), math.hypot(c, d)


def _to_tuple(matrix: object) -> _Matrix:
    return tuple(matrix.get())  # type: ignore[attr-defined]


def _multiply(first: _Matrix, second: _Matrix) -> _Matrix:
    """Returns the matrix that applies the first one, then the second."""
    a, b, c, d, e, f = first
    p, q, r, s, t, u = second
    return (
        a * p + b * r,
        a * q + b * s,
        c * p + d * r,
        c * q + d * s,
        e * p + f * r + t,
        e * q + f * s + u,
    )
