"""One image file, of any size, colours and polarity, made into the 28×28 picture that a network reads.

What the network was trained on decides how: MNIST's makers scaled a digit to fit 20×20, kept its
aspect ratio, and centred it in 28×28 by its centre of mass (LeCun et al., "Gradient-based learning
applied to document recognition", 1998). The steps, in the order of this file: decode to grey, tell
ink from paper, drop specks, fit into the frame.
"""

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps
from scipy import ndimage

import cnn

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
MAX_PIXELS = 2 * (Image.MAX_IMAGE_PIXELS or 89_478_485)  # Where Pillow, too, refuses.
FRAME = 28
SHAPE = (FRAME, FRAME, 1)
# Larger pictures are shrunk first: a digit a fiftieth as high as its page keeps 20 pixels.
_WORKING_SIZE = 1024


class UnreadableImageError(cnn.Error):
    """A file that gives no picture; the message says why, without the path."""


class Decoded(NamedTuple):
    """What `load` made of a file.

    Attributes:
      picture: `float32 (28, 28, 1)`, or None.
      status: `ok`, `blank` or `unreadable`.
      detail: why there is no picture.
    """

    picture: np.ndarray | None
    status: str
    detail: str


class Fit(NamedTuple):
    """How a data set's makers placed a character in the frame.

    Attributes:
      box: the longer side of the character, in pixels.
      by_mass: whether its centre of mass is centred, or its bounding box.
    """

    box: int
    by_mass: bool


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
    fit = PREPROCESSING[preprocessing]
    try:
        with warnings.catch_warnings():  # Pillow warns of oddities in files that it can still read.
            warnings.simplefilter("ignore")
            with _open(Path(path)) as image:
                frame = _resize(image) if fit is None else _read_ink(image, fit)
    except UnreadableImageError:
        raise
    except Exception as error:  # Damage shows as whatever a decoder happens to raise.
        raise UnreadableImageError(f"damaged image: {_first_line(error)}") from error
    return frame.astype(np.float32)[..., None]


def load_many(paths: Sequence[str], preprocessing: str) -> list[Decoded]:
    """Reads files by `load_one`, whatever is wrong with one of them."""
    return [load_one(path, preprocessing) for path in paths]


def load_one(path: str, preprocessing: str) -> Decoded:
    """Reads a file by `load`, and says in words where that gives no picture."""
    try:
        picture = load(path, preprocessing)
    except UnreadableImageError as error:
        return Decoded(None, "unreadable", str(error))
    if not picture.any():
        return Decoded(None, "blank", "no ink found")
    return Decoded(picture, "ok", "")


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def _open(path: Path) -> Image.Image:
    if not path.is_file():
        raise UnreadableImageError("not a regular file" if path.exists() else "no such file")
    try:
        if path.stat().st_size == 0:
            raise UnreadableImageError("empty file")
        image = Image.open(path, formats=FORMATS)
    except PermissionError as error:
        raise UnreadableImageError("no permission to read it") from error
    except Image.UnidentifiedImageError as error:
        raise UnreadableImageError(f"not an image (expected {', '.join(FORMATS)})") from error
    except Image.DecompressionBombError as error:
        raise UnreadableImageError(f"too large: more than {MAX_PIXELS:,} pixels") from error
    width, height = image.size
    if width * height > MAX_PIXELS:
        image.close()
        raise UnreadableImageError(f"too large: {width}×{height}, at most {MAX_PIXELS:,} pixels")
    return image


def _resize(image: Image.Image) -> np.ndarray:
    grey = _to_grey(_upright(image), paper=0)
    padded = ImageOps.pad(Image.fromarray(grey), (FRAME, FRAME), Image.Resampling.LANCZOS)
    return np.clip(np.asarray(padded), 0, 1)


def _read_ink(image: Image.Image, fit: Fit) -> np.ndarray:
    image = _upright(image)
    for grey in _greys(image):
        ink = find_ink(grey)
        if ink is not None:
            return place(keep_marks(ink), fit)
    return np.zeros((FRAME, FRAME))


def _greys(image: Image.Image) -> Iterator[np.ndarray]:
    """Makes a picture grey in one way after the other, for as long as no ink is found."""
    yield _to_grey(image, paper=255)
    if _has_transparency(image):  # Light ink on transparency is invisible on white.
        yield _to_grey(image, paper=0)
    elif image.mode in ("RGB", "P", "CMYK", "YCbCr"):  # Colours may differ where their lightness does not.
        for channel in image.convert("RGB").split():
            yield _to_grey(channel, paper=255)


def _upright(image: Image.Image) -> Image.Image:
    """Decodes an image, small enough to work with, turned as its EXIF says."""
    image.draft(None, (_WORKING_SIZE, _WORKING_SIZE))  # JPEG decodes to a smaller size by itself.
    image.load()
    with contextlib.suppress(Exception):  # Broken EXIF is no reason to refuse a whole picture.
        ImageOps.exif_transpose(image, in_place=True)
    if max(image.size) > _WORKING_SIZE:
        image = _averageable(image)
        image.thumbnail((_WORKING_SIZE, _WORKING_SIZE), Image.Resampling.BOX)
    return image


def _averageable(image: Image.Image) -> Image.Image:
    """Converts the modes that Pillow cannot shrink by averaging."""
    if image.mode.startswith("I"):
        return Image.fromarray(np.asarray(image, np.float32))
    if image.mode in ("1", "P", "PA"):
        return image.convert("RGBA" if _has_transparency(image) else "RGB")
    return image


def _has_transparency(image: Image.Image) -> bool:
    return image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info


def _to_grey(image: Image.Image, paper: int) -> np.ndarray:
    """Makes a picture of any mode grey, over `paper` where it is transparent.

    Returns:
      `float32 (height, width)`, from 0, black, to 1, white.
    """
    if image.mode == "F" or image.mode.startswith("I"):
        return _scale_deep(np.asarray(image, np.float32))
    if _has_transparency(image):
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (paper, paper, paper, 255)), image)
    if image.mode == "LAB":
        image = image.getchannel("L")
    elif image.mode not in ("1", "L", "RGB"):
        image = image.convert("RGB")
    return np.asarray(image.convert("L"), np.float32) / 255


def _scale_deep(values: np.ndarray) -> np.ndarray:
    """Scales pixels of more than 8 bits: floats from [0, 1], whole numbers by the bits they use."""
    values = np.nan_to_num(values, posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    if low < 0:
        return (values - low) / max(high - low, 1e-9)
    white = 1.0 if high <= 1 else 2.0 ** max(8, int(high).bit_length()) - 1
    return values / np.float32(white)


def find_ink(grey: np.ndarray) -> np.ndarray | None:
    """Tells ink from paper, whichever of the two is darker.

    The paper is what the border shows. Where the border is uneven, either ink reaches it, in a
    picture of two levels, or the light is uneven, as in a photograph: then the paper is a surface of
    second degree through all of the picture but the pixels that stand out from it. Where the ink
    would be most of the picture, the border was a frame, and the picture is what is inside.

    Args:
      grey: `float32 (height, width)` in [0, 1].

    Returns:
      `float32 (height, width)`, less a frame, from 0, paper, to 1, the strongest ink; None if there
      is no ink.

    Example:
      >>> page = np.ones((9, 9), np.float32)
      >>> find_ink(page) is None
      True
      >>> page[4, 2:7] = 0.25
      >>> find_ink(page)[4]
      array([0., 0., 1., 1., 1., 1., 1., 0., 0.], dtype=float32)
    """
    border = _border(grey)
    paper = np.median(border)
    noise = 1.5 * np.median(np.abs(border - paper))  # 1.5 MAD is a standard deviation.
    difference, sign = grey - paper, 0
    if np.mean(np.abs(border - paper) > 0.1) > 0.25 or noise > 0.02:
        level, sign = _level_of_paper(grey, border)
        difference = grey - (level if sign else _smooth_surface(grey))
        noise = 0.0 if sign else 1.5 * np.median(np.abs(difference))
    # Ink is rarer than paper and stands out further, so it decides the sign of the third moment.
    ink = difference * (sign or np.sign(np.mean(difference.astype(np.float64) ** 3)))
    contrast = float(np.quantile(ink, 1 - min(0.005, 8 / ink.size)))
    if contrast < max(0.06, 6 * noise):
        return None
    ink = np.clip(np.where(ink > 3 * noise, ink / contrast, 0), 0, 1).astype(np.float32)
    inside = _inside_of_frame(ink)
    return ink if inside is None else find_ink(grey[inside])


def _border(picture: np.ndarray) -> np.ndarray:
    return np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])


def _level_of_paper(grey: np.ndarray, border: np.ndarray) -> tuple[float, int]:
    """Finds the grey of the paper in a picture of two levels, as the one that most of the border shows.

    The two are told apart by the threshold that leaves the least variance on its two sides (Otsu, "A
    threshold selection method from gray-level histograms", 1979).

    Returns:
      The grey, and 1 for ink that is lighter, -1 for darker, 0 where there are no two levels.
    """
    counts, edges = np.histogram(grey, 256, (0, 1))
    share, middles = counts / grey.size, (edges[:-1] + edges[1:]) / 2
    mean, below = share @ middles, np.cumsum(share)[:-1]
    moment = np.cumsum(share * middles)[:-1]
    between = (mean * below - moment) ** 2 / np.maximum(below * (1 - below), 1e-9)
    threshold = edges[1 + int(between.argmax())]
    light_paper = np.mean(border > threshold) > 0.5
    paper = grey[(grey > threshold) == light_paper]
    level = float(np.median(paper))
    # A normal distribution, cut in two, has 64 % of its variance between the halves, an even one 75 %.
    two_levels = (
        between.max() > 0.8 * (share @ (middles - mean) ** 2) and np.mean(np.abs(paper - level) < 0.05) > 0.5
    )
    return level, (-1 if light_paper else 1) if two_levels else 0


def _inside_of_frame(ink: np.ndarray) -> tuple[slice, slice] | None:
    """Finds the box around the "ink" where it is most of the picture, but not at its edges."""
    mask = ink > 0.5
    if np.mean(mask) <= 0.5 or np.mean(_border(mask)) > 0.02:
        return None
    sides = [np.flatnonzero(mask.mean(axis=axis) > 0.5) for axis in (1, 0)]
    if min(map(len, sides)) < 3 or sum(map(len, sides)) >= sum(ink.shape):
        return None
    # A pixel less on each side, for the frame's soft edge.
    rows, columns = (slice(side[0] + 1, side[-1]) for side in sides)
    return rows, columns


def _smooth_surface(grey: np.ndarray) -> np.ndarray:
    """Fits a polynomial of second degree, leaving out by turns what is furthest from it."""
    y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in grey.shape)
    x, y = (axis.ravel() for axis in np.meshgrid(x, y))
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)
    values, kept = grey.ravel(), np.ones(grey.size, bool)
    for _ in range(5):
        kept_terms = terms[kept]
        # The normal equations: six unknowns, so quicker than a general solver and as good.
        weights = np.linalg.solve(kept_terms.T @ kept_terms + 1e-6 * np.eye(6), kept_terms.T @ values[kept])
        distance = np.abs(values - terms @ weights)
        kept = distance <= np.quantile(distance, 0.8)
    return (terms @ weights).reshape(grey.shape).astype(np.float32)


def keep_marks(ink: np.ndarray) -> np.ndarray:
    """Drops bars along the edges, boxes, and specks that lie apart from the mark with the most ink.

    Args:
      ink: `float32 (height, width)` in [0, 1].

    Returns:
      The same, 0 where the bars, boxes and specks were.
    """
    marks, count = ndimage.label(ink > 0.2, np.ones((3, 3)))
    if count < 2:
        return ink
    boxes = ndimage.find_objects(marks)
    mass = ndimage.sum_labels(ink, marks, np.arange(1, count + 1))
    drawn = np.array(
        [_is_bar(b, mass[i], ink.shape) or _is_box(marks[b] == i + 1) for i, b in enumerate(boxes)]
    )
    mass = np.where(drawn, 0, mass) if not drawn.all() else mass
    main = boxes[int(np.argmax(mass))]
    reach = 0.25 * max(side.stop - side.start for side in main)
    kept = np.zeros(count + 1, bool)
    kept[0] = True  # What is no mark is a mark's soft edge, or nothing.
    for i, box in enumerate(boxes):
        apart = max(max(b.start - m.stop, m.start - b.stop) for b, m in zip(box, main, strict=True))
        heavy = mass[i] >= 0.05 * mass.max()
        kept[i + 1] = mass[i] > 0 and (apart <= 0 or (heavy and apart <= reach))
    return np.where(kept[marks], ink, 0)


def _is_bar(box: tuple[slice, slice], mass: float, shape: tuple[int, ...]) -> bool:
    """Whether a mark fills a rectangle along a whole edge of the picture."""
    touched = sum((b.start == 0) + (b.stop == n) for b, n in zip(box, shape, strict=True))
    area = (box[0].stop - box[0].start) * (box[1].stop - box[1].start)
    return touched >= 3 and mass > 0.8 * area


def _is_box(mark: np.ndarray) -> bool:
    """Whether a mark is the outline of a rectangle, as of a cell in a form."""
    return min(mark.shape) > 4 and np.mean(_border(mark)) > 0.8 and np.mean(mark) < 0.5


def place(ink: np.ndarray, fit: Fit) -> np.ndarray:
    """Scales the ink to the box of `fit` and centres it in the frame.

    Args:
      ink: `float32 (height, width)` in [0, 1], not all 0.
      fit: where to.

    Returns:
      `float32 (28, 28)` in [0, 1].
    """
    rows, columns = (np.flatnonzero((ink > 0.2).any(axis=axis)) for axis in (1, 0))
    first, last = np.array([rows[0], columns[0]]), np.array([rows[-1], columns[-1]]) + 1
    scale = fit.box / (last - first).max()
    if fit.by_mass:  # MNIST's lie at pixel 14, counted from 0: half a pixel beyond the middle.
        start = np.maximum(first - 1, 0)  # Faint spots further off have no say.
        nearby = ink[start[0] : last[0] + 1, start[1] : last[1] + 1]
        corner = start + ndimage.center_of_mass(nearby) + 0.5 - 14.5 / scale
    else:
        corner = (first + last) / 2 - FRAME / 2 / scale
    if 0.88 < scale < 1.12:  # Resampling blurs; what nearly fits keeps its pixels.
        corner, scale = np.rint(corner), 1.0
    frame = _cut_square(ink, corner, FRAME / scale)
    return np.clip(frame / frame.max(), 0, 1)


def _cut_square(ink: np.ndarray, corner: np.ndarray, side: float) -> np.ndarray:
    """Resamples a square, with its corner at (row, column), to the frame; beyond the picture is 0."""
    before = np.ceil(np.maximum(0, -corner)).astype(int)
    after = np.ceil(np.maximum(0, corner + side - ink.shape)).astype(int)
    padded = Image.fromarray(np.pad(ink, list(zip(before, after, strict=True))))
    top, left = corner + before
    box = (left, top, min(left + side, padded.width), min(top + side, padded.height))
    return np.asarray(padded.resize((FRAME, FRAME), Image.Resampling.BICUBIC, box))
