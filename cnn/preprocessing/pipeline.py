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

from cnn.preprocessing import batched, decode, open_source, segmentation, small_png
from cnn.preprocessing.centering import (
    IMAGE_SIZE,
    Placement,
    scale_and_center,
    thicken_strokes,
)
from cnn.preprocessing.decode import UnreadableImageError

IMAGE_SHAPE = (IMAGE_SIZE, IMAGE_SIZE, 1)


class PreprocessedFile(NamedTuple):
    """What was made of a file.

    Attributes:
      pictures: `float32 (N, 28, 28, 1)`, ways to see it, the likeliest first; None if there are none.
      status: `ok`, `blank` or `unreadable`.
      detail: why there is no picture, or what else there is.
    """

    candidates: np.ndarray | None
    status: str
    detail: str


# "resize" is for sets that are no handwriting: the picture as it is, made grey and small.
PREPROCESSING: dict[str, Placement | None] = {
    "mnist": Placement(box=20, by_center_of_mass=True),
    "emnist": Placement(box=24, by_center_of_mass=False),
    "resize": None,
}


def load_image(path: str | Path, preprocessing: str = "mnist") -> np.ndarray:
    """Reads a file the way that the network's training pictures were made.

    Args:
      path: an image in one of `FORMATS`, told by content.
      preprocessing: a name of `PREPROCESSING`.

    Returns:
      `float32 (28, 28, 1)` in [0, 1], light ink on 0; all 0 where no ink is found.

    Raises:
      UnreadableImageError: it says why.
    """
    pictures, status, detail = preprocess_file(str(path), preprocessing)
    if status == "unreadable":
        raise UnreadableImageError(detail)
    return np.zeros(IMAGE_SHAPE, np.float32) if pictures is None else pictures[0]


def preprocess_file(path: str, preprocessing: str) -> PreprocessedFile:
    """Reads a file in all ways that it may be seen, and says in words where that gives no picture."""
    return preprocess_files([path], preprocessing)[0]


def preprocess_files(
    paths: Sequence[str], preprocessing: str, begin: Callable[[int], None] | None = None
) -> list[PreprocessedFile]:
    """Reads files as `load_one` does each, whatever is wrong with one of them, small ones together.

    Args:
      paths: of the files.
      preprocessing: a name of `PREPROCESSING`.
      begin: is told which file is begun, by its place, and at last how many they are.
    """
    results: dict[int, PreprocessedFile] = {}
    alike: dict[tuple[int, ...], dict[int, np.ndarray]] = defaultdict(dict)
    for i, path in enumerate(paths):
        if begin is not None:
            begin(i)
        found = _preprocess_or_defer(path, preprocessing)
        if isinstance(found, PreprocessedFile):
            results[i] = found
        else:
            alike[found.shape][i] = found
    if begin is not None:
        begin(len(paths))
    for several in alike.values():
        fit = PREPROCESSING[preprocessing]
        assert fit is not None
        seen = _preprocess_all(np.stack(list(several.values())), fit)
        results.update(zip(several, map(_as_preprocessed_file, seen), strict=True))
    return [results[i] for i in range(len(paths))]


def _preprocess_or_defer(
    path: str, preprocessing: str
) -> PreprocessedFile | np.ndarray:
    """Reads a file; of one that may be seen together with others, only its pixels."""
    try:
        with open_source.open_source(path) as opened:
            if isinstance(opened, bytes) and PREPROCESSING[preprocessing] is not None:
                shades = small_png.decode_small_gray_png(opened)
                if shades is not None:
                    return shades
            file = open_source.to_file_object(opened)
            with decode.open_image(file, in_colours=False) as image:
                decoded = _as_preprocessed_file(preprocess_image(image, preprocessing))
                may_differ = image.format == "JPEG" and image.mode == "L"
            if (
                decoded.status == "blank" and may_differ
            ):  # In one of its colours, perhaps.
                file.seek(0)
                with decode.open_image(file) as image:
                    return _as_preprocessed_file(preprocess_image(image, preprocessing))
            return decoded
    except UnreadableImageError as error:
        return PreprocessedFile(None, "unreadable", str(error))


def _as_preprocessed_file(seen: tuple[np.ndarray, str]) -> PreprocessedFile:
    pictures, detail = seen
    if not len(pictures):
        return PreprocessedFile(None, "blank", "no ink found")
    return PreprocessedFile(pictures[..., None], "ok", detail)


class Overlay(NamedTuple):
    """A file as a person sees it, and what was found in it.

    Attributes:
      original: `uint8 (height, width, 3)`, upright, of at most 400 pixels a side.
      found: `float32 (height, width)`, from 0 to 1 where the character's ink is.
    """

    original: np.ndarray
    mask: np.ndarray


def explain(path: str | Path, preprocessing: str = "mnist", way: int = 0) -> Overlay:
    """Reads a file again, to show what was found in it.

    Args:
      path: an image.
      preprocessing: a name of `PREPROCESSING`; of "resize", nothing is looked for.
      way: which of the pictures that `load_one` makes.

    Raises:
      UnreadableImageError: it says why.
    """
    with (
        open_source.open_source(str(path)) as opened,
        decode.open_image(open_source.to_file_object(opened)) as image,
    ):
        found = _find_first_glyphs(image) if PREPROCESSING[preprocessing] else []
        colours = decode.to_rgb(image)
    colours.thumbnail((400, 400))
    mask = np.zeros(colours.size[::-1], np.float32)
    if way < len(found):
        segmentation.paste_mask(mask, found[way])
    return Overlay(np.asarray(colours), mask)


def preprocess_image(image: Image.Image, preprocessing: str) -> tuple[np.ndarray, str]:
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
        picture = _resize_whole(image)
        return (picture[None] if picture.any() else _NONE), ""
    for shades in decode.grayscale_candidates(image):
        pictures, detail = _preprocess_all(shades[None], fit)[0]
        if len(pictures):
            return pictures, detail
    return _NONE, ""


_NONE = np.empty((0, IMAGE_SIZE, IMAGE_SIZE), np.float32)


def _preprocess_all(greys: np.ndarray, fit: Placement) -> list[tuple[np.ndarray, str]]:
    """Makes pictures of each of the grey ones, `uint8 (N, height, width)`."""
    if max(greys.shape[1:]) > batched.MAX_SIDE:
        return [_preprocess_general(shades, fit) for shades in greys]
    pictures, is_plain = batched.preprocess_batch(greys, fit)
    ready = iter(pictures[:, None])
    return [
        (next(ready), "") if known else _preprocess_general(shades, fit)
        for shades, known in zip(greys, is_plain.tolist(), strict=True)
    ]


def _preprocess_general(shades: np.ndarray, fit: Placement) -> tuple[np.ndarray, str]:
    """Makes pictures of a grey one by the general chain."""
    found = segmentation.find_glyphs(shades)
    if not found:
        return _NONE, ""
    pictures = [
        scale_and_center(thicken_strokes(seen.mask)[None], fit) for seen in found
    ]
    return np.concatenate(pictures), "several marks: read the largest" if found[
        0
    ].has_other_characters else ""


def _find_first_glyphs(image: Image.Image) -> list[segmentation.Glyph]:
    """Finds the character in the first of a picture's shades that show one."""
    return next(
        filter(None, map(segmentation.find_glyphs, decode.grayscale_candidates(image))),
        [],
    )


def _resize_whole(image: Image.Image) -> np.ndarray:
    shades = Image.fromarray(decode.to_grayscale(image, paper=0))
    padded = ImageOps.pad(shades, (IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.LANCZOS)
    return np.asarray(padded, np.float32) / 255
