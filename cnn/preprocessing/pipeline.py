"""Converts image files to network inputs.

| step | module |
|---|---|
| open a file or URI | `open_source` |
| decode, turn upright | `decode` |
| complete a cut file | `truncation` |
| convert to gray | `grayscale` |
| find the character's ink | `segmentation` |
| thicken strokes, scale and center | `centering` |

`candidates` chains the last two steps. Small gray images, which most data sets have,
take a quicker way with the same result: `small_png` decodes them, and `batched` finds
and centers the characters of many at once.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image

from cnn.preprocessing.candidates import (
    Candidates,
    extract_batch_candidates,
    extract_candidates,
)
from cnn.preprocessing.centering import IMAGE_SIZE, Placement
from cnn.preprocessing.decode import (
    PlotError,
    UnreadableImageError,
    open_image,
)
from cnn.preprocessing.glyph import Glyph, render_mask
from cnn.preprocessing.grayscale import grayscale_candidates, to_rgb
from cnn.preprocessing.open_source import open_source, to_file_object
from cnn.preprocessing.opencv_threads import single_threaded_opencv
from cnn.preprocessing.segmentation import find_glyphs
from cnn.preprocessing.small_png import decode_small_gray_png
from cnn.preprocessing.source import ReadOptions, Source
from cnn.preprocessing.text_lines import TextLine
from cnn.preprocessing.text_lines.layouts import find_text_lines

# Shape of one network input.
IMAGE_SHAPE = (IMAGE_SIZE, IMAGE_SIZE, 1)

# Placement of the character by preprocessing name. "resize" is for data sets of other
# subjects than handwriting, and only converts the whole image to 28×28 gray pixels.
PREPROCESSING: dict[str, Placement | None] = {
    "mnist": Placement(box=20, by_center_of_mass=True),
    "emnist": Placement(box=24, by_center_of_mass=False),
    "resize": None,
}

# Longest side of an overlay, in pixels.
_OVERLAY_SIDE = 400


class PreprocessedFile(NamedTuple):
    """The result of preprocessing one file.

    Attributes:
      candidates: `float32 (N, 28, 28, 1)` in [0, 1], network inputs by different
        segmentations of the image, the most plausible first, or None without any.
      status: `ok`, `blank` or `unreadable`.
      detail: the reason if there are no candidates, or a remark on the image.
      weights: `float32 (N,)`, relative prior probabilities of the candidates. None
        stands for equal ones.
      lines: the numbers of the layouts `line` and `page`.
    """

    candidates: np.ndarray | None
    status: str
    detail: str
    weights: np.ndarray | None = None
    lines: tuple[TextLine, ...] = ()

    @property
    def num_candidates(self) -> int:
        """The length of `candidates`, 0 for None."""
        return 0 if self.candidates is None else len(self.candidates)


class Overlay(NamedTuple):
    """An image and the mask of its segmented character.

    Attributes:
      original: `uint8 (height, width, 3)`, upright, of at most 400 pixels per side.
      mask: `float32 (height, width)` in [0, 1], the character's ink.
    """

    original: np.ndarray
    mask: np.ndarray


def preprocess_file(path: str, preprocessing: str) -> PreprocessedFile:
    """Preprocesses one file, and reports any failure in the result."""
    return preprocess_files([path], preprocessing)[0]


def preprocess_files(
    paths: Sequence[str],
    preprocessing: str,
    report_progress: Callable[[int], object] | None = None,
) -> list[PreprocessedFile]:
    """Preprocesses files, and reports the failure of any file in its result.

    Args:
      paths: local paths or URIs.
      preprocessing: a key of `PREPROCESSING`.
      report_progress: called with the index of each file before it is opened, and with
        the number of files after the last one is decoded.

    Returns:
      One result per file, in the order of `paths`. It is the same, bit for bit, as that
      of the file alone.
    """
    placement = PREPROCESSING[preprocessing]
    notify = report_progress or _ignore_progress
    results: dict[int, PreprocessedFile] = {}
    deferred: dict[int, np.ndarray] = {}
    with single_threaded_opencv():
        for i, path in enumerate(paths):
            notify(i)
            result = _preprocess_or_defer(path, placement)
            if isinstance(result, PreprocessedFile):
                results[i] = result
            else:
                deferred[i] = result
        notify(len(paths))
        if placement is not None:
            results.update(_preprocess_deferred(deferred, placement))
    return [results[i] for i in range(len(paths))]


def preprocess_sources(
    sources: Sequence[Source],
    options: ReadOptions,
    report_progress: Callable[[int], object] | None = None,
) -> list[PreprocessedFile]:
    """Preprocesses sources, as `preprocess_files` preprocesses files.

    Args:
      sources: files, pages or regions.
      options: how they are preprocessed.
      report_progress: as for `preprocess_files`.
    """
    if options.layout == "character":
        paths = [source.path for source in sources]
        return preprocess_files(paths, options.preprocessing, report_progress)
    notify = report_progress or _ignore_progress
    results = []
    with single_threaded_opencv():
        for i, source in enumerate(sources):
            notify(i)
            results.append(_preprocess_lines(source, options))
    notify(len(sources))
    return results


def _preprocess_lines(source: Source, options: ReadOptions) -> PreprocessedFile:
    placement = PREPROCESSING[options.preprocessing]
    assert placement is not None
    try:
        with (
            open_source(source.path) as opened,
            open_image(to_file_object(opened)) as decoded,
        ):
            lines = find_text_lines(
                decoded.image, options.layout, placement, source.region
            )
    except PlotError as error:
        return PreprocessedFile(None, "blank", str(error))
    except UnreadableImageError as error:
        return PreprocessedFile(None, "unreadable", str(error))
    if not lines:
        return PreprocessedFile(None, "blank", "no number found")
    return PreprocessedFile(None, "ok", "", lines=lines)


def preprocess_image(image: Image.Image, preprocessing: str) -> Candidates:
    """Preprocesses a decoded image.

    Args:
      image: upright, of any mode.
      preprocessing: a key of `PREPROCESSING`.
    """
    with single_threaded_opencv():
        return extract_candidates(image, PREPROCESSING[preprocessing])


def explain(
    path: str | Path, preprocessing: str = "mnist", candidate: int = 0
) -> Overlay:
    """Segments a file again to show the ink of its character.

    Args:
      path: a local path or URI.
      preprocessing: a key of `PREPROCESSING`. The mask of "resize" is 0.
      candidate: index among the candidates of `preprocess_file`.

    Raises:
      UnreadableImageError: the file cannot be decoded.
    """
    with (
        single_threaded_opencv(),
        open_source(str(path)) as source,
        open_image(to_file_object(source)) as decoded,
    ):
        image = decoded.image
        glyphs = _find_first_glyphs(image) if PREPROCESSING[preprocessing] else []
        original = to_rgb(image)
    original.thumbnail((_OVERLAY_SIDE, _OVERLAY_SIDE))
    shape = (original.height, original.width)
    # The candidate after those of all glyphs is the first one without its slant.
    if candidate == len(glyphs):
        candidate = 0
    if candidate < len(glyphs):
        mask = render_mask(glyphs[candidate], shape)
    else:
        mask = np.zeros(shape, np.float32)
    return Overlay(np.asarray(original), mask)


def _ignore_progress(_: int) -> None:
    pass


def _preprocess_or_defer(
    path: str, placement: Placement | None
) -> PreprocessedFile | np.ndarray:
    """Preprocesses a file, or returns the pixels of a small gray one for a batch."""
    try:
        with open_source(path) as source:
            if isinstance(source, bytes) and placement is not None:
                gray = decode_small_gray_png(source)
                if gray is not None:
                    return gray
            candidates = _decode_and_extract(to_file_object(source), placement)
    except PlotError as error:
        return PreprocessedFile(None, "blank", str(error))
    except UnreadableImageError as error:
        return PreprocessedFile(None, "unreadable", str(error))
    return _to_preprocessed_file(candidates)


def _preprocess_deferred(
    grays: dict[int, np.ndarray], placement: Placement
) -> dict[int, PreprocessedFile]:
    """Preprocesses small gray images, by index, in one batch per shape."""
    indices_by_shape: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for i, gray in grays.items():
        indices_by_shape[gray.shape].append(i)
    results = {}
    for indices in indices_by_shape.values():
        batch = np.stack([grays[i] for i in indices])
        candidates = extract_batch_candidates(batch, placement)
        for i, of_image in zip(indices, candidates, strict=True):
            results[i] = _to_preprocessed_file(of_image)
    return results


def _decode_and_extract(file: BinaryIO, placement: Placement | None) -> Candidates:
    """Extracts the character from a file, and from a blank gray JPEG again in color.

    Decoding a large JPEG to gray is quicker, but hides ink that differs from the
    background in color only.
    """
    with open_image(file, in_color=False) as decoded:
        candidates = extract_candidates(decoded.image, placement)
    if decoded.lacks_color and not len(candidates.images):
        whole = decoded.completed or file
        whole.seek(0)
        with open_image(whole) as in_color:
            candidates = extract_candidates(in_color.image, placement)
    if decoded.completed:
        return _add_detail(candidates, "truncated: no pixel is missing")
    return candidates


def _add_detail(candidates: Candidates, remark: str) -> Candidates:
    details = [candidates.detail, remark] if candidates.detail else [remark]
    return candidates._replace(detail="; ".join(details))


def _to_preprocessed_file(candidates: Candidates) -> PreprocessedFile:
    images, weights, detail = candidates
    if not len(images):
        reasons = ["no ink found", detail] if detail else ["no ink found"]
        return PreprocessedFile(None, "blank", "; ".join(reasons))
    return PreprocessedFile(images[..., None], "ok", detail, weights)


def _find_first_glyphs(image: Image.Image) -> list[Glyph]:
    """Finds glyphs in the first grayscale candidate that shows any."""
    for gray in grayscale_candidates(image):
        glyphs = find_glyphs(gray)
        if glyphs:
            return glyphs
    return []
