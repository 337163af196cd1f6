"""From preprocessed images to numbers: their pieces go through the network together.

`cnn.line_reading` wraps these functions, which take the network as a function.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from cnn.decoding import CharacterReading, PathWeights, Reading, decode_line
from cnn.decoding.page_context import weigh_by_page
from cnn.errors import UsageError
from cnn.number_pattern import NumberPattern, parse_number_pattern
from cnn.page_region import Region
from cnn.preprocessing.image_source import ImageLike, make_source
from cnn.preprocessing.pipeline import (
    PREPROCESSING,
    PreprocessedFile,
    preprocess_sources,
)
from cnn.preprocessing.source import Layout, ReadOptions, Source
from cnn.preprocessing.text_lines import Lattice, TextLine

PredictProba = Callable[[np.ndarray], np.ndarray]
ReadLines = Callable[[Sequence[TextLine]], list[Reading]]

_NOTHING_FOUND = "no number found"
# Confidence below which ink is left out that stands on a page with other numbers. It
# is rather a printed word.
_MIN_CONFIDENCE_ON_PAGE = 0.05


class NumberPrediction(NamedTuple):
    """A number that was read, or that none was.

    Attributes:
      path: path of the file, or empty for an image from memory.
      page: number of the page, counted from 1.
      region: name of the region, or empty.
      line: number of the line of the page, counted from 1.
      box: left, top, right and bottom, in pixels of the upright picture, or None
        without a number.
      prediction: the characters in order, or empty if the status is `blank` or
        `unreadable`.
      confidence: the probability that the whole text is right, in [0, 1], or 0 without
        a prediction.
      status: `ok`, `unsure` (a confidence below the threshold), `blank` (no number) or
        `unreadable` (not an image).
      detail: one line on why the status is not `ok`, or a remark.
      characters: each character, with its box, confidence and runner-up.
    """

    path: str
    page: int
    region: str
    line: int
    box: tuple[float, float, float, float] | None
    prediction: str
    confidence: float
    status: str
    detail: str
    characters: tuple[CharacterReading, ...] = ()


def read_lines(
    lines: Sequence[TextLine],
    predict_proba: PredictProba,
    class_names: Sequence[str],
    pattern: NumberPattern,
    weights: PathWeights | None = None,
) -> list[Reading]:
    """Reads text lines, whose pieces go through the network together.

    Args:
      lines: numbers, from `cnn.preprocessing.pipeline.preprocess_sources`.
      predict_proba: the network: images `(N, 28, 28)` to probabilities.
      class_names: the name of each class.
      pattern: what is known of the numbers.
      weights: of a path's score. None stands for the defaults.

    Returns:
      One `Reading` per line, in order.
    """
    lattices = [lattice for line in lines for lattice in line.lattices]
    outputs = iter(_classify_pieces(lattices, predict_proba, len(class_names)))
    return [
        decode_line(
            line,
            [next(outputs) for _ in line.lattices],
            class_names,
            pattern,
            weights,
        )
        for line in lines
    ]


def _classify_pieces(
    lattices: Sequence[Lattice], predict_proba: PredictProba, num_classes: int
) -> list[np.ndarray]:
    """Computes the class probabilities of the arcs of each lattice."""
    if not lattices:
        return []
    is_character = np.concatenate([lattice.is_character for lattice in lattices])
    images = np.concatenate([lattice.images for lattice in lattices])
    outputs = np.zeros((len(images), num_classes), np.float32)
    if is_character.any():
        outputs[is_character] = predict_proba(images[is_character])
    ends = np.cumsum([len(lattice.starts) for lattice in lattices])
    return np.split(outputs, ends[:-1])


def predict_numbers(
    sources: Sequence[Source],
    files: Sequence[PreprocessedFile],
    read: ReadLines,
    unsure_below: float,
) -> list[list[NumberPrediction]]:
    """Reads the numbers of preprocessed sources.

    Args:
      sources: files, pages or regions.
      files: the result of preprocessing each.
      read: reads text lines.
      unsure_below: confidence threshold, in [0, 1].

    Returns:
      The numbers of each source. A source without any has one `NumberPrediction` that
      says so.
    """
    readings = iter(read([line for file in files for line in file.lines]))
    predictions = []
    for source, file in zip(sources, files, strict=True):
        of_page = weigh_by_page(file.lines, [next(readings) for _ in file.lines])
        numbers = [
            _predict_number(source, file, line, reading, unsure_below)
            for line, reading in zip(file.lines, of_page, strict=True)
        ]
        if len(numbers) > 1:
            numbers = [number for number in numbers if _is_likely(number)]
        blank = file._replace(status="blank") if file.lines else file
        predictions.append(numbers or [_predict_nothing(source, blank)])
    return predictions


def _is_likely(number: NumberPrediction) -> bool:
    """Tells whether what was found among others on a page may be a number."""
    return bool(number.prediction) and number.confidence >= _MIN_CONFIDENCE_ON_PAGE


def _predict_number(
    source: Source,
    file: PreprocessedFile,
    line: TextLine,
    reading: Reading,
    unsure_below: float,
) -> NumberPrediction:
    remarks = [file.detail, reading.detail]
    if not reading.text:
        return _predict_nothing(source, file._replace(status="blank"), reading.detail)
    is_unsure = reading.confidence < unsure_below
    if is_unsure:
        remarks.insert(0, f"confidence below {unsure_below:.4f}")
    left, top, right, bottom = map(float, line.box)
    return NumberPrediction(
        path=source.path,
        page=source.page or 1,
        region=_region_name(source),
        line=line.line,
        box=(left, top, right, bottom),
        prediction=reading.text,
        confidence=float(reading.confidence),
        status="unsure" if is_unsure else "ok",
        detail="; ".join(dict.fromkeys(filter(None, remarks))),
        characters=tuple(reading.characters),
    )


def _predict_nothing(
    source: Source, file: PreprocessedFile, remark: str = ""
) -> NumberPrediction:
    reason = file.detail or remark
    if file.status == "blank" and _NOTHING_FOUND not in reason:
        reason = f"{_NOTHING_FOUND}: {reason}" if reason else _NOTHING_FOUND
    return NumberPrediction(
        path=source.path,
        page=source.page or 1,
        region=_region_name(source),
        line=1,
        box=None,
        prediction="",
        confidence=0.0,
        status=file.status,
        detail=reason,
    )


def _region_name(source: Source) -> str:
    return source.region.name if source.region else ""


def make_pattern(
    length: int | str | None, pattern: str | None, separators: str | None
) -> NumberPattern:
    """Parses what is known of a number, written as for `bin/infer`."""
    return parse_number_pattern(
        None if length is None else str(length), pattern, separators
    )


def preprocess_number_image(
    image: ImageLike,
    preprocessing: str,
    layout: Layout,
    page: int | None,
    region: str | Region | None,
) -> tuple[Source, PreprocessedFile]:
    """Finds the text lines of an image.

    Args:
      image: as for `make_source`, like `page` and `region`.
      preprocessing: a key of `pipeline.PREPROCESSING`.
      layout: `line` or `page`.
      page: number of the page of a file.
      region: the part to read.

    Returns:
      What is read, and its lines.
    """
    check_preprocessing(preprocessing, layout)
    source = make_source(image, page, region)
    (file,) = preprocess_sources([source], ReadOptions(preprocessing, layout))
    return source, file


def check_preprocessing(preprocessing: str, layout: str) -> None:
    """Checks that the model's preprocessing finds characters in a picture.

    Raises:
      UsageError: it takes the picture as a whole.
    """
    if PREPROCESSING[preprocessing] is None:
        raise UsageError(
            f"--layout {layout}: expected a model of handwritten characters, got one "
            f"that takes whole pictures (preprocessing {preprocessing!r})"
        )
