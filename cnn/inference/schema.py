"""Columns of an output, and the typed row of one file."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cnn.inference.listing import InputFile

if TYPE_CHECKING:
    from cnn.classifier import Prediction

# A value of a row. None is an empty cell in a CSV and null in JSON and Parquet.
Cell = str | float | None


class Row(NamedTuple):
    """Result of one file.

    Attributes:
      path: path relative to the input, with `/`.
      prediction: name of the likeliest class, or None without a prediction.
      confidence: probability of that class, in [0, 1], or None.
      status: `ok`, `unsure`, `blank` or `unreadable`.
      detail: one line of explanation, or None.
      label: name of the true class, or None if it is unknown.
      extra: values of the optional columns after `label`.
    """

    path: str
    prediction: str | None
    confidence: float | None
    status: str
    detail: str | None
    label: str | None = None
    extra: tuple[Cell, ...] = ()


class Column(NamedTuple):
    """Column of an output.

    Attributes:
      name: its header.
      is_number: whether its values are numbers. They are text otherwise.
    """

    name: str
    is_number: bool = False


_BASE_COLUMNS = (
    Column("path"),
    Column("prediction"),
    Column("confidence", is_number=True),
    Column("status"),
    Column("detail"),
)


@dataclasses.dataclass(frozen=True)
class Schema:
    """Columns of an output, in order, and the conversion of rows to cells.

    Attributes:
      class_names: names of the model's classes.
      has_labels: whether there is a column `label`.
      top_k: number of likeliest classes per row, at least 1. The columns of the
        second are `prediction_2` and `confidence_2`.
      has_probabilities: whether there is one column per class with its probability.

    Example:
      >>> [column.name for column in Schema(("yes", "no"), has_labels=True).columns]
      ['path', 'prediction', 'confidence', 'status', 'detail', 'label']
    """

    class_names: tuple[str, ...]
    has_labels: bool = False
    top_k: int = 1
    has_probabilities: bool = False

    @functools.cached_property
    def columns(self) -> tuple[Column, ...]:
        """All columns, in the order of the output."""
        columns = list(_BASE_COLUMNS)
        if self.has_labels:
            columns.append(Column("label"))
        columns += self._extra_columns
        return tuple(columns)

    @functools.cached_property
    def names(self) -> list[str]:
        """Headers of the columns."""
        return [column.name for column in self.columns]

    @functools.cached_property
    def _extra_columns(self) -> list[Column]:
        columns = []
        last_rank = min(self.top_k, len(self.class_names))
        for rank in range(2, last_rank + 1):
            columns.append(Column(f"prediction_{rank}"))
            columns.append(Column(f"confidence_{rank}", is_number=True))
        if self.has_probabilities:
            columns += [Column(name, is_number=True) for name in self.class_names]
        return columns

    def make_row(self, file: InputFile, prediction: "Prediction", label: str) -> Row:
        """Makes the row of a file.

        Args:
          file: the file.
          prediction: result of the classifier.
          label: name of the true class, empty if it is unknown.
        """
        has_class = bool(prediction.prediction)
        return Row(
            path=file.name,
            prediction=prediction.prediction or None,
            confidence=prediction.confidence if has_class else None,
            status=prediction.status,
            detail=prediction.detail or None,
            label=label or None,
            extra=self._extra_cells(prediction.probabilities),
        )

    def _extra_cells(self, probabilities: np.ndarray | None) -> tuple[Cell, ...]:
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
        base = (row.path, row.prediction, row.confidence, row.status, row.detail)
        label = (row.label,) if self.has_labels else ()
        return base + label + row.extra

    def from_cells(self, cells: Sequence[Cell]) -> Row:
        """Makes a row of its values, the inverse of `to_cells`.

        Raises:
          ValueError: the number of values is not the number of columns.
        """
        if len(cells) != len(self.columns):
            raise ValueError(f"expected {len(self.columns)} cells, got {len(cells)}")
        start = len(_BASE_COLUMNS)
        row = Row(*cells[:start])  # type: ignore[arg-type]
        if self.has_labels:
            row = row._replace(label=cells[start])  # type: ignore[arg-type]
            start += 1
        return row._replace(extra=tuple(cells[start:]))


def format_number(number: float) -> str:
    """Formats a probability for CSV and JSON, with 6 decimals.

    Example:
      >>> format_number(0.5)
      '0.500000'
    """
    return f"{number:.6f}"
