"""Reads true labels from a CSV, and matches its paths with the names of input files."""

import codecs
import csv
import functools
import io
import posixpath
import sys
import unicodedata
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple, Protocol

from cnn.image_files.listing import InputFiles, PathError, describe_name
from cnn.image_files.natural_sort import NAME_ENCODING
from cnn.number_pattern import SEPARATORS

_HEADER = ["path", "label"]
# Columns that a table with a header may have, too.
_PART_NAMES = ("page", "region")
_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Separators of cells. Spreadsheets write the second in some countries, and the third
# in UTF-16.
_SEPARATORS = ",;\t"


class FindLabel(Protocol):
    """Finds the label of a file, or of a page or region of it."""

    def __call__(self, name: str, page: int = 1, region: str = "", /) -> str:
        """Returns the label, empty if it is unknown.

        Args:
          name: `InputFile.name`.
          page: number of the page, counted from 1.
          region: name of the region, or empty.
        """


class Labels(NamedTuple):
    """The labels of a table.

    Attributes:
      of_files: label by path, empty for a path that has labels of its parts only.
      of_parts: label by path, page and region. Either of the last two may be empty,
        which stands for all.
    """

    of_files: dict[str, str]
    of_parts: dict[tuple[str, str, str], str]


def find_labels_in_table(
    files: InputFiles,
    table: Path,
    class_names: Collection[str] | None,
    are_numbers: bool = False,
) -> FindLabel:
    """Reads a CSV of labels, and says on stderr what matches nothing.

    Args:
      files: the input files.
      table: a CSV of `path,label`, in UTF-8, or in UTF-16 with a byte order mark. With
        a header, it may have the columns `page` and `region`, too.
      class_names: the valid labels. None stands for any.
      are_numbers: whether labels are texts of class names and separators.

    Returns:
      A function from `InputFile.name` to the label, empty for a file without one.

    Raises:
      PathError: the CSV cannot be read, has an invalid row or names no input file.
    """
    labels = _read_labels(table, class_names, are_numbers)
    spellings = {_normalize(path): path for path in labels.of_files}
    unmatched = dict.fromkeys(labels.of_files)
    num_unlabeled = 0
    example = ""
    for file in files:
        path = _find_path(file.name, labels.of_files, spellings)
        unmatched.pop(path, None)
        if path not in labels.of_files:
            num_unlabeled += 1
            example = example or file.name
    _check_is_utf8(table, unmatched)
    if num_unlabeled == len(files):
        raise PathError(
            f"{table}: none of its paths is that of an input file, "
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
    name: str,
    page: int = 1,
    region: str = "",
    *,
    labels: Labels,
    spellings: dict[str, str],
) -> str:
    path = _find_path(name, labels.of_files, spellings)
    if labels.of_parts:
        for part in ((str(page), region), (str(page), ""), ("", region)):
            label = labels.of_parts.get((path, *part))
            if label is not None:
                return label
    return labels.of_files.get(path, "")


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
            raise PathError(
                f"{table}: expected UTF-8, found other bytes in {describe_name(path)}; "
                "save it as CSV in UTF-8"
            )


def _warn(message: str) -> None:
    print(f"warning: {message}", file=sys.stderr)


def _read_labels(
    path: Path, class_names: Collection[str] | None, are_numbers: bool
) -> Labels:
    """Reads a CSV of labels, with or without a header."""
    rows = _read_rows(path)
    part_columns: tuple[int | None, ...] = (None, None)
    header = [cell.lower() for cell in rows[0]] if rows else []
    if header[:2] == _HEADER:
        rows = rows[1:]
        part_columns = tuple(_find_column(header, name) for name in _PART_NAMES)
    labels = Labels({}, {})
    for row in rows:
        if row[1:2] == [""]:  # Without a label yet.
            continue
        if len(row) < 2 or not _is_label(row[1], class_names, are_numbers):
            raise PathError(
                f"{path}: expected rows of path,label"
                f"{_describe_labels(class_names, are_numbers)}; "
                f"found {','.join(row[:2])[:200]}"
            )
        part = tuple(_cell(row, column) for column in part_columns)
        _add_label(labels, row[0], part, row[1], path)
    return labels


def _add_label(
    labels: Labels, name: str, part: tuple[str, ...], label: str, table: Path
) -> None:
    """Adds a row. Of the part, the page and the region may be empty."""
    other: str | None
    if any(part):
        page, region = part
        labels.of_files.setdefault(name, "")
        other = labels.of_parts.setdefault((name, page, region), label)
    else:
        other = labels.of_files.get(name) or label
        labels.of_files[name] = other
    if other != label:
        raise PathError(
            f"{table}: {' '.join([name, *filter(None, part)])} has two labels, "
            f"{other} and {label}; expected one per path"
        )


def _is_label(
    text: str, class_names: Collection[str] | None, are_numbers: bool
) -> bool:
    if class_names is None:
        return True
    if not are_numbers:
        return text in class_names
    return set(text) <= set("".join(class_names)) | set(SEPARATORS)


def _describe_labels(class_names: Collection[str] | None, are_numbers: bool) -> str:
    if class_names is None:
        return ""
    if not are_numbers:
        return " with a label among " + ", ".join(sorted(class_names))
    letters = sorted(set("".join(class_names)))
    return f" with a label of the characters {', '.join(letters)} and {SEPARATORS}"


def _find_column(header: list[str], name: str) -> int | None:
    return header.index(name) if name in header else None


def _cell(row: list[str], column: int | None) -> str:
    return "" if column is None or column >= len(row) else row[column]


def _read_rows(path: Path) -> list[list[str]]:
    """Reads the rows of a CSV, whose cells are stripped of spaces."""
    try:
        text = _decode(path.read_bytes(), path)
        first_line = text.partition("\n")[0]
        used = [separator for separator in _SEPARATORS if separator in first_line]
        lines = io.StringIO(text, newline="")
        reader = csv.reader(lines, delimiter=used[0] if used else ",")
        rows = [row for row in reader if row]
    except (OSError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise PathError(f"{path}: the labels cannot be read: {reason}") from error
    return [[cell.strip() for cell in row] for row in rows]


def _decode(data: bytes, path: Path) -> str:
    try:
        if data.startswith(_UTF_16_MARKS):
            return data.decode("utf-16")
    except UnicodeDecodeError as error:
        raise PathError(f"{path}: the labels cannot be read: {error}") from error
    if b"\0" in data:
        raise PathError(f"{path}: is no text in UTF-8; save the labels as CSV in UTF-8")
    # Spreadsheets write a byte order mark.
    return data.removeprefix(codecs.BOM_UTF8).decode(**NAME_ENCODING)
