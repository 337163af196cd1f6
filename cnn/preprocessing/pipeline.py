"""Converts image files to network inputs.

| step | module |
|---|---|
| open a file or URI | `open_source` |
| decode a page, turn it upright, crop a region | `decode`, `documents/` |
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
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from PIL import Image

from cnn.preprocessing.centering import Placement
from cnn.preprocessing.decode import (
    PlotError,
    UnreadableImageError,
    View,
    count_pages,
    open_image,
)
from cnn.preprocessing.documents.open_documents import keep_last_document
from cnn.preprocessing.documents.page_remark import describe_other_pages
from cnn.preprocessing.network_input import IMAGE_SHAPE, PREPROCESSING
from cnn.preprocessing.open_source import open_source, to_file_object
from cnn.preprocessing.opencv_threads import single_threaded_opencv
from cnn.preprocessing.overlay import Overlay, explain
from cnn.preprocessing.preprocessed_file import PreprocessedFile
from cnn.preprocessing.small_png import decode_small_gray_png
from cnn.preprocessing.source import (
    CountOptions,
    PreviewOptions,
    ReadOptions,
    Source,
    WorkOptions,
)

if TYPE_CHECKING:
    from cnn.preprocessing.candidates import Candidates

__all__ = [
    "IMAGE_SHAPE",
    "PREPROCESSING",
    "Overlay",
    "PreprocessedFile",
    "explain",
    "preprocess_file",
    "preprocess_files",
    "preprocess_image",
    "preprocess_sources",
]


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
    sources = [Source(path) for path in paths]
    return preprocess_sources(sources, ReadOptions(preprocessing), report_progress)


def preprocess_sources(
    sources: Sequence[Source],
    options: WorkOptions,
    report_progress: Callable[[int], object] | None = None,
) -> list[PreprocessedFile]:
    """Preprocesses sources, as `preprocess_files` preprocesses files.

    Args:
      sources: files, pages or regions.
      options: how they are preprocessed, or that their pages are counted, or that
        previews are made.
      report_progress: as for `preprocess_files`.
    """
    notify = report_progress or _ignore_progress
    results: dict[int, PreprocessedFile] = {}
    deferred: dict[int, np.ndarray] = {}
    with single_threaded_opencv(), keep_last_document():
        for i, source in enumerate(sources):
            notify(i)
            result = _report_failure(source, options)
            if isinstance(result, PreprocessedFile):
                results[i] = result
            else:
                deferred[i] = result
        notify(len(sources))
        if deferred and isinstance(options, ReadOptions):
            placement = PREPROCESSING[options.preprocessing]
            assert placement is not None
            results.update(_preprocess_deferred(deferred, placement))
    return [results[i] for i in range(len(sources))]


def import_all() -> None:
    """Imports what finds characters, which is else imported with the first image.

    A process that only hands out files to others need not import it.
    """
    import cnn.preprocessing.candidates  # noqa: F401


def preprocess_image(image: Image.Image, preprocessing: str) -> "Candidates":
    """Preprocesses a decoded image.

    Args:
      image: upright, of any mode.
      preprocessing: a key of `PREPROCESSING`.
    """
    from cnn.preprocessing.candidates import extract_candidates

    with single_threaded_opencv():
        return extract_candidates(image, PREPROCESSING[preprocessing])


def _ignore_progress(_: int) -> None:
    pass


def _report_failure(
    source: Source, options: WorkOptions
) -> PreprocessedFile | np.ndarray:
    """Preprocesses a source, or returns the pixels of a small gray one for a batch."""
    if source.failure:
        return PreprocessedFile(None, "unreadable", source.failure)
    try:
        with open_source(source) as opened:
            if isinstance(options, CountOptions):
                num_pages = count_pages(to_file_object(opened))
                return PreprocessedFile(None, "ok", "", num_pages=num_pages)
            if isinstance(options, PreviewOptions):
                # Imported late, like the next one: few runs need it.
                from cnn.preprocessing.preview import make_preview

                return make_preview(to_file_object(opened), source, options)
            if options.layout != "character":
                # For a quick start of runs that read characters.
                from cnn.preprocessing.source_lines import find_source_lines

                return find_source_lines(to_file_object(opened), source, options)
            return _preprocess_or_defer(opened, source, options)
    except PlotError as error:
        return PreprocessedFile(None, "blank", str(error))
    except UnreadableImageError as error:
        return PreprocessedFile(None, "unreadable", str(error))


def _preprocess_or_defer(
    opened: bytes | BinaryIO, source: Source, options: ReadOptions
) -> PreprocessedFile | np.ndarray:
    """Preprocesses a character, or returns the pixels of a small gray one."""
    placement = PREPROCESSING[options.preprocessing]
    is_whole = source.page is None and source.region is None
    if is_whole and isinstance(opened, bytes) and placement is not None:
        gray = decode_small_gray_png(opened)
        if gray is not None:
            return gray
    candidates = _decode_and_extract(to_file_object(opened), placement, source)
    return _to_preprocessed_file(candidates)


def _preprocess_deferred(
    grays: dict[int, np.ndarray], placement: Placement
) -> dict[int, PreprocessedFile]:
    """Preprocesses small gray images, by index, in one batch per shape."""
    from cnn.preprocessing.candidates import extract_batch_candidates

    indices_by_shape: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for i, gray in grays.items():
        indices_by_shape[gray.shape].append(i)
    results = {}
    for indices in indices_by_shape.values():
        # As `np.stack` does, which takes longer for many small images.
        batch = np.concatenate([grays[i] for i in indices])
        batch = batch.reshape(len(indices), *grays[indices[0]].shape)
        candidates = extract_batch_candidates(batch, placement)
        for i, of_image in zip(indices, candidates, strict=True):
            results[i] = _to_preprocessed_file(of_image)
    return results


def _decode_and_extract(
    file: BinaryIO, placement: Placement | None, source: Source
) -> "Candidates":
    """Extracts the character from a file, and from a blank gray JPEG again in color.

    Decoding a large JPEG to gray is quicker, but hides ink that differs from the
    background in color only.
    """
    from cnn.preprocessing.candidates import extract_candidates

    view = View(source.page, source.region)
    with open_image(file, in_color=False, view=view) as decoded:
        candidates = extract_candidates(decoded.image, placement)
    if decoded.lacks_color and not len(candidates.images):
        whole = decoded.completed or file
        whole.seek(0)
        with open_image(whole, view=view) as in_color:
            candidates = extract_candidates(in_color.image, placement)
    if decoded.completed:
        candidates = _add_detail(candidates, "truncated: no pixel is missing")
    remark = describe_other_pages(source, decoded.num_pages)
    return _add_detail(candidates, remark) if remark else candidates


def _add_detail(candidates: "Candidates", remark: str) -> "Candidates":
    details = [candidates.detail, remark] if candidates.detail else [remark]
    return candidates._replace(detail="; ".join(details))


def _to_preprocessed_file(candidates: "Candidates") -> PreprocessedFile:
    images, weights, detail = candidates
    if not len(images):
        reasons = ["no ink found", detail] if detail else ["no ink found"]
        return PreprocessedFile(None, "blank", "; ".join(reasons))
    return PreprocessedFile(images[..., None], "ok", detail, weights)
