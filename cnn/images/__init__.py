"""One image file, of any size, colours and polarity, made into the 28×28 picture that a network reads.

What the network was trained on decides how. The steps, each a file of this folder: `grey` decodes a file,
`ink` finds the character (by `paper`, `rules` and `marks`), `frame` gives thin strokes the width that
MNIST's have and places them as MNIST's makers did. `limits` holds the numbers that all of it rests on.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from cnn.images import grey, ink
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
    with grey.opened(Path(path)) as image:
        pictures, _ = see(image, preprocessing)
    return pictures[0][..., None] if pictures else np.zeros(SHAPE, np.float32)


def load_many(paths: Sequence[str], preprocessing: str) -> list[Decoded]:
    """Reads files by `load_one`, whatever is wrong with one of them."""
    return [load_one(path, preprocessing) for path in paths]


def load_one(path: str, preprocessing: str) -> Decoded:
    """Reads a file in all ways that it may be seen, and says in words where that gives no picture."""
    try:
        with grey.opened(Path(path)) as image:
            pictures, detail = see(image, preprocessing)
    except UnreadableImageError as error:
        return Decoded(None, "unreadable", str(error))
    if not pictures:
        return Decoded(None, "blank", "no ink found")
    return Decoded(np.array(pictures)[..., None], "ok", detail)


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
    with grey.opened(Path(path)) as image:
        found = _seek(image)[1] if PREPROCESSING[preprocessing] else []
        colours = grey.to_colours(image)
    colours.thumbnail((400, 400))
    mask = np.zeros(colours.size[::-1], np.float32)
    if way < len(found):
        ink.stamp(mask, found[way])
    return View(np.asarray(colours), mask)


def see(image: Image.Image, preprocessing: str) -> tuple[list[np.ndarray], str]:
    """Makes pictures of an image that has been opened.

    Args:
      image: upright, of any mode.
      preprocessing: a name of `PREPROCESSING`.

    Returns:
      `float32 (28, 28)` in [0, 1], one for each way to see it, the likeliest first; and what else is in it.
    """
    fit = PREPROCESSING[preprocessing]
    if fit is None:
        picture = _resize(image)
        return [picture] if picture.any() else [], ""
    several, found = _seek(image)
    pictures = [place(widened(seen.strength), fit) for seen in found]
    return pictures, "several marks: read the largest" if several else ""


def _seek(image: Image.Image) -> tuple[bool, list[ink.Ink]]:
    """Finds the character in the first of a picture's shades that show one, and whether there are others."""
    for shades in grey.greys(image):
        found = ink.find(shades)
        if found:
            return found[0].several, found
    return False, []


def _resize(image: Image.Image) -> np.ndarray:
    shades = Image.fromarray(grey.to_grey(image, paper=0))
    padded = ImageOps.pad(shades, (FRAME, FRAME), Image.Resampling.LANCZOS)
    return np.asarray(padded, np.float32) / 255
