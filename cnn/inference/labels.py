"""Finds the true labels of input files, from a CSV or from the names of the files."""

import csv
import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from cnn.inference.listing import InferError, InputFiles

_HEADER = ["path", "label"]


def find_labels(
    files: InputFiles, labels_csv: Path | None, class_names: Sequence[str]
) -> Callable[[str], str] | None:
    """Finds the true labels of files.

    Without a CSV, the label of `7/scan.png` or `scan_7.png` is 7 if that is a class.

    Args:
      files: the input files.
      labels_csv: a CSV of `path,label`, or None.
      class_names: the valid labels.

    Returns:
      A function from `InputFile.name` to the label, empty for a file without one. None
      if no file has a label.

    Raises:
      InferError: the CSV cannot be read, has an invalid row or names no input file.
    """
    if labels_csv is not None:
        return _find_labels_in_csv(files, labels_csv, class_names)
    folder = os.path.basename(os.path.abspath(files.top))
    get_label = functools.partial(
        _label_in_name, folder=folder, class_names=frozenset(class_names)
    )
    if any(get_label(file.name) for file in files):
        return get_label
    return None


def _find_labels_in_csv(
    files: InputFiles, labels_csv: Path, class_names: Sequence[str]
) -> Callable[[str], str]:
    labels = _read_labels(labels_csv, set(class_names))
    if not any(file.name in labels for file in files):
        example = next(iter(files)).name
        raise InferError(
            f"{labels_csv}: none of its paths is that of a file in --input, "
            f"like {example}"
        )
    return functools.partial(_label_in_table, labels=labels)


def _label_in_table(name: str, labels: dict[str, str]) -> str:
    return labels.get(name, "")


def _label_in_name(name: str, folder: str, class_names: frozenset[str]) -> str:
    """Returns the label in the name of the parent folder, or at the end of the name.

    Args:
      name: name of the file, relative to the input.
      folder: name of the input folder.
      class_names: the valid labels.

    Example:
      >>> classes = frozenset("0123456789")
      >>> _label_in_name("7/a_3.png", "scans", classes)
      '7'
      >>> _label_in_name("a_3.png", "scans", classes)
      '3'
    """
    parents, slash, base = name.rpartition("/")
    parent = parents.rpartition("/")[2] if slash else folder
    if parent in class_names:
        return parent
    stem = os.path.splitext(base)[0]
    _, underscore, suffix = stem.rpartition("_")
    return suffix if underscore and suffix in class_names else ""


def _read_labels(path: Path, class_names: set[str]) -> dict[str, str]:
    """Reads a CSV of `path,label`, with or without a header, as label per name."""
    rows = _read_rows(path)
    if rows and [cell.lower() for cell in rows[0]] == _HEADER:
        rows = rows[1:]
    labels = {}
    for row in rows:
        if row[1:] == [""]:  # Without a label yet.
            continue
        if len(row) < 2 or row[1] not in class_names:
            raise InferError(
                f"{path}: expected rows of path,label with a label among "
                f"{', '.join(sorted(class_names))}; found {','.join(row)}"
            )
        labels[row[0].removeprefix("./")] = row[1]
    return labels


def _read_rows(path: Path) -> list[list[str]]:
    """Reads the first two cells of the rows of a CSV, stripped of spaces."""
    try:
        # utf-8-sig drops the byte order mark that spreadsheets write.
        with open(
            path, newline="", encoding="utf-8-sig", errors="surrogateescape"
        ) as file:
            rows = [row[:2] for row in csv.reader(file) if row]
    except (OSError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InferError(f"{path}: the labels cannot be read: {reason}") from error
    return [[cell.strip() for cell in row] for row in rows]
