"""What a row says of a file."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cnn.config import InferConfig
from cnn.inference.listing import InputFile
from cnn.inference.row_formats import Schema

RowFormatter = Callable[[InputFile, Any, str], list[str]]


def make_row_formatter(
    config: InferConfig, class_names: Sequence[str], labelled: bool
) -> tuple[Schema, RowFormatter]:
    """Chooses the columns.

    Args:
      config: the settings.
      class_names: of the model.
      labelled: whether the true classes of some files are known.

    Returns:
      The columns; and the function that makes a row of a file, its `cnn.classifier.Reading` and its label,
      empty where that is not known.
    """
    ranks = range(2, min(config.top_k, len(class_names)) + 1)
    header = ["path", "prediction", "confidence", "status", "detail"] + [
        "label"
    ] * labelled
    header += [
        f"{column}_{rank}" for rank in ranks for column in ("prediction", "confidence")
    ]
    header += list(class_names) * config.probabilities
    numbers = {"confidence"} | {f"confidence_{rank}" for rank in ranks}
    numbers |= set(class_names) if config.probabilities else set()

    def row(file: InputFile, reading: Any, label: str) -> list[str]:
        confidence = f"{reading.confidence:.6f}" if reading.prediction else ""
        cells = [
            file.name,
            reading.prediction,
            confidence,
            reading.status,
            reading.detail,
        ]
        cells += [label] * labelled
        probabilities = reading.probabilities
        read = probabilities is not None
        best = (
            np.argsort(-probabilities, kind="stable")
            if read and ranks
            else np.zeros(0, int)
        )
        for rank in ranks:
            cells += (
                [class_names[best[rank - 1]], f"{probabilities[best[rank - 1]]:.6f}"]
                if read
                else ["", ""]
            )
        if config.probabilities:
            cells += (
                [f"{p:.6f}" for p in probabilities] if read else [""] * len(class_names)
            )
        return cells

    return Schema(header, frozenset(numbers)), row
