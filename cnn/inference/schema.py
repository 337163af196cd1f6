"""Columns of an output, and the typed row of one file, page, region or number."""

import dataclasses
import functools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cnn.image_files.listing import InputFile
from cnn.inference.cells import Cell, Column, dump_json
from cnn.preprocessing.source import Layout, Source

if TYPE_CHECKING:
    from cnn.classifier import Prediction
    from cnn.number_prediction import NumberPrediction


class Row(NamedTuple):
    """Result of one file, or of a page, region or number of it.

    Attributes:
      path: path relative to the input, with `/`.
      prediction: name of the likeliest class, or the number as text, or None without a
        prediction.
      confidence: probability that the prediction is right, in [0, 1], or None.
      status: `ok`, `unsure`, `blank` or `unreadable`.
      detail: one line of explanation, or None.
      label: name of the true class, or the true number, or None if it is unknown.
      extra: values of the optional columns after `label`.
      place: values of the optional columns after `path`.
    """

    path: str
    prediction: str | None
    confidence: float | None
    status: str
    detail: str | None
    label: str | None = None
    extra: tuple[Cell, ...] = ()
    place: tuple[Cell, ...] = ()


_PAGE = Column("page", "integer")
_REGION = Column("region")
# Place of a number on its page.
_NUMBER_COLUMNS = tuple(
    Column(name, "integer") for name in ("line", "left", "top", "right", "bottom")
)
_PREDICTION_COLUMNS = (
    Column("prediction"),
    Column("confidence", "number"),
    Column("status"),
    Column("detail"),
)
_CHARACTERS = Column("characters", "json")


@dataclasses.dataclass(frozen=True)
class Schema:
    """Columns of an output, in order, and the conversion of rows to cells.

    Attributes:
      class_names: names of the model's classes.
      has_labels: whether there is a column `label`.
      top_k: number of likeliest classes per row, at least 1. The columns of the
        second are `prediction_2` and `confidence_2`.
      has_probabilities: whether there is one column per class with its probability.
      layout: what is read. Rows of `page` have the page, line and box of each number.
      has_pages: whether there is a column `page` in other layouts, too.
      has_regions: whether there is a column `region`.
      has_characters: whether there is a column `characters`, in JSON.

    Example:
      >>> [column.name for column in Schema(("yes", "no"), has_labels=True).columns]
      ['path', 'prediction', 'confidence', 'status', 'detail', 'label']
    """

    class_names: tuple[str, ...]
    has_labels: bool = False
    top_k: int = 1
    has_probabilities: bool = False
    layout: Layout = "character"
    has_pages: bool = False
    has_regions: bool = False
    has_characters: bool = False

    @functools.cached_property
    def columns(self) -> tuple[Column, ...]:
        """All columns, in the order of the output."""
        columns = [Column("path"), *self._place_columns, *_PREDICTION_COLUMNS]
        if self.has_labels:
            columns.append(Column("label"))
        columns += self._extra_columns
        return tuple(columns)

    @functools.cached_property
    def names(self) -> list[str]:
        """Headers of the columns."""
        return [column.name for column in self.columns]

    @property
    def place_names(self) -> list[str]:
        """Headers of the columns between `path` and `prediction`."""
        return [column.name for column in self._place_columns]

    @functools.cached_property
    def _place_columns(self) -> list[Column]:
        columns = [_PAGE] if self.has_pages or self.layout == "page" else []
        if self.has_regions:
            columns.append(_REGION)
        if self.layout == "page":
            columns += _NUMBER_COLUMNS
        return columns

    @functools.cached_property
    def _extra_columns(self) -> list[Column]:
        columns = []
        last_rank = min(self.top_k, len(self.class_names))
        for rank in range(2, last_rank + 1):
            columns.append(Column(f"prediction_{rank}"))
            columns.append(Column(f"confidence_{rank}", "number"))
        if self.has_probabilities:
            columns += [Column(name, "number") for name in self.class_names]
        if self.has_characters:
            columns.append(_CHARACTERS)
        return columns

    def make_row(
        self,
        file: InputFile,
        prediction: "Prediction | NumberPrediction",
        label: str,
        source: Source | None = None,
    ) -> Row:
        """Makes the row of a prediction.

        Args:
          file: the file.
          prediction: result of the classifier.
          label: name of the true class, or the true number, empty if it is unknown.
          source: the page and region of the file. None is all of it.
        """
        has_class = bool(prediction.prediction)
        return Row(
            path=file.name,
            prediction=prediction.prediction or None,
            confidence=prediction.confidence if has_class else None,
            status=prediction.status,
            detail=prediction.detail or None,
            label=label or None,
            extra=self._extra_cells(prediction),
            place=self._place_cells(source or Source(file.path), prediction),
        )

    def source_cells(self, source: Source) -> tuple[Cell, ...]:
        """Returns the values of a source in the columns `page` and `region`."""
        cells: list[Cell] = []
        if _PAGE in self._place_columns:
            cells.append(source.page or 1)
        if self.has_regions:
            cells.append(source.region.name if source.region else None)
        return tuple(cells)

    def _place_cells(
        self, source: Source, prediction: "Prediction | NumberPrediction"
    ) -> tuple[Cell, ...]:
        cells = self.source_cells(source)
        if self.layout != "page":
            return cells
        number: NumberPrediction = prediction  # type: ignore[assignment]
        if number.box is None:
            return cells + (None,) * len(_NUMBER_COLUMNS)
        return (*cells, number.line, *round_outward(number.box))

    def _extra_cells(
        self, prediction: "Prediction | NumberPrediction"
    ) -> tuple[Cell, ...]:
        if self.layout != "character":
            characters = format_characters(prediction)  # type: ignore[arg-type]
            return (characters,) if self.has_characters else ()
        probabilities: np.ndarray | None = prediction.probabilities  # type: ignore[union-attr]
        if probabilities is None:
            return (None,) * len(self._extra_columns)
        cells: list[Cell] = []
        if self.top_k > 1:
            ranking = np.argsort(-probabilities, kind="stable")
            for index in ranking[1 : self.top_k]:
                cells.append(self.class_names[index])
                cells.append(float(probabilities[index]))
        if self.has_probabilities:
            cells += probabilities.tolist()
        return tuple(cells)

    def to_cells(self, row: Row) -> Sequence[Cell]:
        """Returns the values of a row, one per column."""
        prediction = (row.prediction, row.confidence, row.status, row.detail)
        label = (row.label,) if self.has_labels else ()
        return (row.path, *row.place, *prediction, *label, *row.extra)

    def from_cells(self, cells: Sequence[Cell]) -> Row:
        """Makes a row of its values, the inverse of `to_cells`.

        Raises:
          ValueError: the number of values is not the number of columns.
        """
        if len(cells) != len(self.columns):
            raise ValueError(f"expected {len(self.columns)} cells, got {len(cells)}")
        place_end = 1 + len(self._place_columns)
        end = place_end + len(_PREDICTION_COLUMNS)
        row = Row(cells[0], *cells[place_end:end])  # type: ignore[arg-type]
        if self.has_labels:
            row = row._replace(label=cells[end])  # type: ignore[arg-type]
            end += 1
        place = tuple(cells[1:place_end])
        return row._replace(extra=tuple(cells[end:]), place=place)


def round_outward(box: Sequence[float]) -> tuple[int, int, int, int]:
    """Returns the smallest box of whole pixels around a box.

    Example:
      >>> round_outward((1.5, 2.0, 7.25, 9.0))
      (1, 2, 8, 9)
    """
    left, top, right, bottom = box
    return math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)


def format_characters(number: "NumberPrediction") -> str:
    """Returns the characters of a number as JSON."""
    return dump_json(
        [
            {
                "box": round_outward(character.box),
                "prediction": character.prediction,
                "confidence": character.confidence,
                "runner_up": character.runner_up,
            }
            for character in number.characters
        ]
    )
