"""Reads true labels from a CSV, and matches its paths with the names of input files."""

import codecs
import csv
import functools
import io
import posixpath
import sys
import unicodedata
from collections.abc import Callable, Collection
from pathlib import Path

from cnn.inference.listing import InferError, InputFiles, describe_name
from cnn.inference.natural_sort import NAME_ENCODING

_HEADER = ["path", "label"]
_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Separators of cells. Spreadsheets write the second in some countries, and the third
# in UTF-16.
_SEPARATORS = ",;\t"


def find_labels_in_table(
    files: InputFiles, table: Path, class_names: Collection[str]
) -> Callable[[str], str]:
    """Reads a CSV of labels, and says on stderr what matches nothing.

    Args:
      files: the input files.
      table: a CSV of `path,label`, in UTF-8, or in UTF-16 with a byte order mark.
      class_names: the valid labels.

    Returns:
      A function from `InputFile.name` to the label, empty for a file without one.

    Raises:
      InferError: the CSV cannot be read, has an invalid row or names no input file.
    """
    labels = _read_labels(table, class_names)
    spellings = {_normalize(path): path for path in labels}
    unmatched = dict.fromkeys(labels)
    num_unlabeled = 0
    example = ""
    for file in files:
        path = _find_path(file.name, labels, spellings)
        unmatched.pop(path, None)
        if path not in labels:
            num_unlabeled += 1
            example = example or file.name
    _check_is_utf8(table, unmatched)
    if num_unlabeled == len(files):
        raise InferError(
            f"{table}: none of its paths is that of a file in --input, "
            f"like {describe_name(example)}"
        )
    if unmatched:
        first = next(iter(unmatched))
        _warn(f"{table}: labels that match no file: {len(unmatched):,}, like {first}")
    if num_unlabeled:
        example = describe_name(example)
        _warn(f"{table}: files without a label: {num_unlabeled:,}, like {example}")
    return functools.partial(_label_in_table, labels=labels, spellings=spellings)


def _label_in_table(
    name: str, labels: dict[str, str], spellings: dict[str, str]
) -> str:
    return labels.get(_find_path(name, labels, spellings), "")


def _find_path(name: str, labels: dict[str, str], spellings: dict[str, str]) -> str:
    """Returns the path in the table of a file, or an empty text.

    Args:
      name: name of the file.
      labels: label of each path in the table.
      spellings: that path of each normalized path.
    """
    return name if name in labels else spellings.get(_normalize(name), "")


def _normalize(path: str) -> str:
    r"""Returns the same path for each spelling of it.

    macOS decomposes letters (NFD) that other systems write as one character (NFC).

    Example:
      >>> _normalize("./sub\\e\u0301.png")
      'sub/é.png'
    """
    return posixpath.normpath(unicodedata.normalize("NFC", path.replace("\\", "/")))


def _check_is_utf8(table: Path, unmatched: Collection[str]) -> None:
    """Refuses a table with paths that match nothing because of their encoding."""
    for path in unmatched:
        if not path.isprintable() and any(
            "\udc80" <= letter <= "\udcff" for letter in path
        ):
            raise InferError(
                f"{table}: expected UTF-8, found other bytes in {describe_name(path)}; "
                "save it as CSV in UTF-8"
            )


def _warn(message: str) -> None:
    print(f"warning: {message}", file=sys.stderr)


def _read_labels(path: Path, class_names: Collection[str]) -> dict[str, str]:
    """Reads a CSV of `path,label`, with or without a header, as label per path."""
    rows = _read_rows(path)
    if rows and [cell.lower() for cell in rows[0]] == _HEADER:
        rows = rows[1:]
    labels: dict[str, str] = {}
    for row in rows:
        if row[1:] == [""]:  # Without a label yet.
            continue
        if len(row) < 2 or row[1] not in class_names:
            raise InferError(
                f"{path}: expected rows of path,label with a label among "
                f"{', '.join(sorted(class_names))}; found {','.join(row)[:200]}"
            )
        if labels.setdefault(row[0], row[1]) != row[1]:
            raise InferError(
                f"{path}: {row[0]} has two labels, {labels[row[0]]} and {row[1]}; "
                "expected one per path"
            )
    return labels


def _read_rows(path: Path) -> list[list[str]]:
    """Reads the first two cells of the rows of a CSV, stripped of spaces."""
    try:
        text = _decode(path.read_bytes(), path)
        first_line = text.partition("\n")[0]
        used = [separator for separator in _SEPARATORS if separator in first_line]
        lines = io.StringIO(text, newline="")
        reader = csv.reader(lines, delimiter=used[0] if used else ",")
        rows = [row[:2] for row in reader if row]
    except (OSError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InferError(f"{path}: the labels cannot be read: {reason}") from error
    return [[cell.strip() for cell in row] for row in rows]


def _decode(data: bytes, path: Path) -> str:
    try:
        if data.startswith(_UTF_16_MARKS):
            return data.decode("utf-16")
    except UnicodeDecodeError as error:
        raise InferError(f"{path}: the labels cannot be read: {error}") from error
    if b"\0" in data:
        raise InferError(
            f"{path}: is no text in UTF-8; save the labels as CSV in UTF-8"
        )
    # Spreadsheets write a byte order mark.
    return data.removeprefix(codecs.BOM_UTF8).decode(**NAME_ENCODING)
