"""What there is to read: the files of a folder in natural order, and the true classes of those known."""

import csv
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cnn
from cnn import images
from cnn.config import InferConfig

FORMATS = ", ".join(images.FORMATS)


class InferError(cnn.Error):
    """An input or an output that cannot be used."""


class File(NamedTuple):
    """A file to read.

    Attributes:
      path: where it is.
      name: its path relative to the input, with `/`.
    """

    path: str
    name: str


def scan(config: InferConfig) -> list[File]:
    """Lists the files of the input in natural order (2 before 10), without hidden ones.

    The program's own outputs are left out, should they lie in there.

    Raises:
      InferError: there is no such input, or nothing in it.
    """
    top = config.input
    if top.is_file():
        return [File(str(top), top.name)]
    if not top.is_dir():
        raise InferError(f"{top}: no such folder or image; --input names what to read")
    ours = (config.output, config.plot, config.labels, config.model)
    own = {os.path.abspath(path) for path in ours if path}
    own |= {path + ".partial" for path in own}
    shown = os.path.abspath(config.show) + os.sep if config.show else "\0"
    paths = (
        path
        for path in _walk(top, config.recursive)
        if os.path.abspath(path) not in own and not os.path.abspath(path).startswith(shown)
    )
    files = [File(path, os.path.relpath(path, top).replace(os.sep, "/")) for path in paths]
    if not files:
        hint = "" if config.recursive else " (and --no-recursive leaves out the folders in it)"
        raise InferError(f"{top}: nothing to read in this folder{hint}; expected {FORMATS} images")
    return sorted(files, key=lambda file: natural(file.name))


def _walk(top: Path, recursive: bool) -> Iterator[str]:
    def refuse(error: OSError) -> None:
        print(f"warning: {error.filename}: left out: {error.strerror}", file=sys.stderr)

    for folder, folders, names in os.walk(top, onerror=refuse):
        folders[:] = [f for f in folders if recursive and not f.startswith(".")]
        yield from (os.path.join(folder, name) for name in names if not name.startswith("."))


def natural(name: str) -> tuple[list[Any], str]:
    """Makes a sorting key that takes runs of digits as numbers.

    Example:
      >>> sorted(["a10", "a2", "a1/b"], key=natural)
      ['a1/b', 'a2', 'a10']
    """
    parts = re.split(r"([0-9]+)", name)
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], name


def find_labels(files: Sequence[File], labels: Path | None, class_names: Sequence[str]) -> dict[str, str]:
    """Finds the true classes of files, where they are known.

    Args:
      files: what will be read.
      labels: a CSV of `path,label`, or None to look at the names of folders and files.
      class_names: what counts as a label.

    Returns:
      Class names by `File.name`.

    Raises:
      InferError: the CSV is no such CSV.
    """
    if labels is not None:
        known = _read_labels(labels, set(class_names))
        if not any(file.name in known for file in files):
            raise InferError(
                f"{labels}: none of its paths is that of a file in --input, like {files[0].name}"
            )
        return known
    found = {file.name: _label_in_name(file.path, set(class_names)) for file in files}
    return {name: label for name, label in found.items() if label}


def _label_in_name(path: str, class_names: set[str]) -> str:
    folder = os.path.basename(os.path.dirname(os.path.abspath(path)))
    if folder in class_names:
        return folder
    _, underscore, end = Path(path).stem.rpartition("_")
    return end if underscore and end in class_names else ""


def _read_labels(path: Path, class_names: set[str]) -> dict[str, str]:
    try:
        with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            rows = [[cell.strip() for cell in row[:2]] for row in csv.reader(file) if row]
    except (OSError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InferError(f"{path}: the labels cannot be read: {reason}") from error
    if rows and [cell.lower() for cell in rows[0]] == ["path", "label"]:
        rows = rows[1:]
    rows = [row for row in rows if row[1:] != [""]]  # Not labelled yet.
    for row in rows:
        if len(row) < 2 or row[1] not in class_names:
            raise InferError(
                f"{path}: expected rows of path,label with a label among {', '.join(sorted(class_names))}; "
                f"found {','.join(row)}"
            )
    return {row[0].removeprefix("./"): row[1] for row in rows}
