"""One image file, of any size, colours and polarity, made into the 28×28 picture that a network reads.

What the network was trained on decides how. The steps, each a file of this folder: `grey` decodes a file,
`ink` finds the character (by `paper`, `rules` and `marks`), `frame` gives thin strokes the width that
MNIST's have and places them as MNIST's makers did. `limits` holds the numbers that all of it rests on.
`source` opens it first. What data sets look like takes a short way to the same: `png` decodes it, and `plain`
reads many at once.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from cnn.images import grey, ink, plain, png, source
from cnn.images.frame import FRAME, Fit, place, widened
from cnn.images.grey import FORMATS, MAX_PIXELS, UnreadableImageError

__all__ = [
    "FORMATS",
    "MAX_PIXELS",
    "PREPROCESSING",
    "SHAPE",
    "Decoded",
    "Fit",
    "UnreadableImageError",
    "View",
    "load",
    "load_many",
    "load_one",
    "see",
    "view",
]

SHAPE = (FRAME, FRAME, 1)


class Decoded(NamedTuple):
    """What was made of a file.

    Attributes:
      pictures: `float32 (N, 28, 28, 1)`, ways to see it, the likeliest first; None if there are none.
      status: `ok`, `blank` or `unreadable`.
      detail: why there is no picture, or what else there is.
    """

    pictures: np.ndarray | None
    status: str
    detail: str


# "resize" is for sets that are no handwriting: the picture as it is, made grey and small.
PREPROCESSING: dict[str, Fit | None] = {
    "mnist": Fit(box=20, by_mass=True),
    "emnist": Fit(box=24, by_mass=False),
    "resize": None,
}


def load(path: str | Path, preprocessing: str = "mnist") -> np.ndarray:
    """Reads a file the way that the network's training pictures were made.

    Args:
      path: an image in one of `FORMATS`, told by content.
      preprocessing: a name of `PREPROCESSING`.

    Returns:
      `float32 (28, 28, 1)` in [0, 1], light ink on 0; all 0 where no ink is found.

    Raises:
      UnreadableImageError: it says why.
    """
    pictures, status, detail = load_one(str(path), preprocessing)
    if status == "unreadable":
        raise UnreadableImageError(detail)
    return np.zeros(SHAPE, np.float32) if pictures is None else pictures[0]


def load_one(path: str, preprocessing: str) -> Decoded:
    """Reads a file in all ways that it may be seen, and says in words where that gives no picture."""
    return load_many([path], preprocessing)[0]


def load_many(
    paths: Sequence[str], preprocessing: str, begin: Callable[[int], None] | None = None
) -> list[Decoded]:
    """Reads files as `load_one` does each, whatever is wrong with one of them, small ones together.

    Args:
      paths: of the files.
      preprocessing: a name of `PREPROCESSING`.
      begin: is told which file is begun, by its place, and at last how many they are.
    """
    results: dict[int, Decoded] = {}
    alike: dict[tuple[int, ...], dict[int, np.ndarray]] = defaultdict(dict)
    for i, path in enumerate(paths):
        if begin is not None:
            begin(i)
        found = _load(path, preprocessing)
        if isinstance(found, Decoded):
            results[i] = found
        else:
            alike[found.shape][i] = found
    if begin is not None:
        begin(len(paths))
    for several in alike.values():
        fit = PREPROCESSING[preprocessing]
        assert fit is not None
        seen = _see_all(np.stack(list(several.values())), fit)
        results.update(zip(several, map(_decoded, seen), strict=True))
    return [results[i] for i in range(len(paths))]


def _load(path: str, preprocessing: str) -> Decoded | np.ndarray:
    """Reads a file; of one that may be seen together with others, only its pixels."""
    try:
        with source.opened(path) as opened:
            if isinstance(opened, bytes) and PREPROCESSING[preprocessing] is not None:
                shades = png.decoded(opened)
                if shades is not None:
                    return shades
            file = source.as_file(opened)
            with grey.opened(file, in_colours=False) as image:
                decoded = _decoded(see(image, preprocessing))
                may_differ = image.format == "JPEG" and image.mode == "L"
            if decoded.status == "blank" and may_differ:  # In one of its colours, perhaps.
                file.seek(0)
                with grey.opened(file) as image:
                    return _decoded(see(image, preprocessing))
            return decoded
    except UnreadableImageError as error:
        return Decoded(None, "unreadable", str(error))


def _decoded(seen: tuple[np.ndarray, str]) -> Decoded:
    pictures, detail = seen
    if not len(pictures):
        return Decoded(None, "blank", "no ink found")
    return Decoded(pictures[..., None], "ok", detail)


class View(NamedTuple):
    """A file as a person sees it, and what was found in it.

    Attributes:
      original: `uint8 (height, width, 3)`, upright, of at most 400 pixels a side.
      found: `float32 (height, width)`, from 0 to 1 where the character's ink is.
    """

    original: np.ndarray
    found: np.ndarray


def view(path: str | Path, preprocessing: str = "mnist", way: int = 0) -> View:
    """Reads a file again, to show what was found in it.

    Args:
      path: an image.
      preprocessing: a name of `PREPROCESSING`; of "resize", nothing is looked for.
      way: which of the pictures that `load_one` makes.

    Raises:
      UnreadableImageError: it says why.
    """
    with source.opened(str(path)) as opened, grey.opened(source.as_file(opened)) as image:
        found = _seek(image) if PREPROCESSING[preprocessing] else []
        colours = grey.to_colours(image)
    colours.thumbnail((400, 400))
    mask = np.zeros(colours.size[::-1], np.float32)
    if way < len(found):
        ink.stamp(mask, found[way])
    return View(np.asarray(colours), mask)


def see(image: Image.Image, preprocessing: str) -> tuple[np.ndarray, str]:
    """Makes pictures of an image that has been opened.

    Args:
      image: upright, of any mode.
      preprocessing: a name of `PREPROCESSING`.

    Returns:
      `float32 (N, 28, 28)` in [0, 1], one for each way to see it, the likeliest first; and what else is in
      it.
    """
    fit = PREPROCESSING[preprocessing]
    if fit is None:
        picture = _resize(image)
        return (picture[None] if picture.any() else _NONE), ""
    for shades in grey.greys(image):
        pictures, detail = _see_all(shades[None], fit)[0]
        if len(pictures):
            return pictures, detail
    return _NONE, ""


_NONE = np.empty((0, FRAME, FRAME), np.float32)


def _see_all(greys: np.ndarray, fit: Fit) -> list[tuple[np.ndarray, str]]:
    """Makes pictures of each of the grey ones, `uint8 (N, height, width)`."""
    if max(greys.shape[1:]) > plain.LONGEST_SIDE:
        return [_search(shades, fit) for shades in greys]
    pictures, is_plain = plain.read(greys, fit)
    ready = iter(pictures[:, None])
    return [
        (next(ready), "") if known else _search(shades, fit)
        for shades, known in zip(greys, is_plain.tolist(), strict=True)
    ]


def _search(shades: np.ndarray, fit: Fit) -> tuple[np.ndarray, str]:
    """Makes pictures of a grey one by the general chain."""
    found = ink.find(shades)
    if not found:
        return _NONE, ""
    pictures = [place(widened(seen.strength)[None], fit) for seen in found]
    return np.concatenate(pictures), "several marks: read the largest" if found[0].several else ""


def _seek(image: Image.Image) -> list[ink.Ink]:
    """Finds the character in the first of a picture's shades that show one."""
    return next(filter(None, map(ink.find, grey.greys(image))), [])


def _resize(image: Image.Image) -> np.ndarray:
    shades = Image.fromarray(grey.to_grey(image, paper=0))
    padded = ImageOps.pad(shades, (FRAME, FRAME), Image.Resampling.LANCZOS)
    return np.asarray(padded, np.float32) / 255
