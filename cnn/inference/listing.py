"""What there is to read: the files of a folder in natural order, and the true classes of those known."""

import csv
import functools
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cnn.config import InferConfig, as_uri
from cnn.errors import Error
from cnn.inference.natural_sort import SortedNames
from cnn.preprocessing import decode

FORMATS = ", ".join(decode.FORMATS)
# A folder whose name ends so was perhaps meant to be an image, and has a row.
_ENDINGS = {
    ".png",
    ".jpg",
    ".jpeg",
    ".bmp",
    ".gif",
    ".tif",
    ".tiff",
    ".webp",
    ".ppm",
    ".pgm",
}


class InferError(Error):
    """An input or an output that cannot be used."""


class InputFile(NamedTuple):
    """A file to read.

    Attributes:
      path: where it is.
      name: its path relative to the input, with `/`.
    """

    path: str
    name: str


class InputFiles:
    """The files of a folder in natural order, to be gone through as often as needed."""

    def __init__(self, top: str, names: Iterable[str]) -> None:
        """Takes the folder, and the paths in it, with `/`, in any order."""
        self.top = top
        self._names = SortedNames(names)

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[InputFile]:
        return locate(self.top, self._names)


def locate(top: str, names: Iterable[str]) -> Iterator[InputFile]:
    """Says where the files of a folder are."""
    return (InputFile(os.path.join(top, name), name) for name in names)


def list_inputs(config: InferConfig) -> InputFiles:
    """Lists the files of the input, without hidden ones.

    The program's own outputs are left out, should they lie in there.

    Raises:
      InferError: there is no such input, or nothing in it.
    """
    top = config.input
    if "://" in as_uri(top):
        return _list_remote(as_uri(top))
    if top.is_file():
        return InputFiles(os.path.dirname(top), [top.name])
    if not top.is_dir():
        raise InferError(f"{top}: no such folder or image; --input names what to read")
    files = InputFiles(
        str(top), _walk_directory(str(top), config.recursive, _own_outputs(config))
    )
    if not len(files):
        hint = (
            ""
            if config.recursive
            else " (and --no-recursive leaves out the folders in it)"
        )
        raise InferError(
            f"{top}: nothing to read in this folder{hint}; expected {FORMATS} images"
        )
    return files


def _list_remote(top: str) -> InputFiles:
    """Lists the files below a URI (https://arrow.apache.org/docs/python/filesystems.html)."""
    from pyarrow import fs

    try:
        system, folder = fs.FileSystem.from_uri(top)
        found = system.get_file_info(fs.FileSelector(folder, recursive=True))
    except (OSError, ValueError) as error:
        raise InferError(
            f"{top}: cannot be listed: {str(error).splitlines()[0]}"
        ) from error
    names = [
        info.path[len(folder) :].lstrip("/")
        for info in found
        if info.type == fs.FileType.File
    ]
    seen = [
        name
        for name in names
        if not any(part.startswith(".") for part in name.split("/"))
    ]
    if not seen:
        raise InferError(
            f"{top}: nothing to read in this folder; expected {FORMATS} images"
        )
    return InputFiles(top, seen)


def _own_outputs(config: InferConfig) -> set[str]:
    """Returns what in the folder is the program's own, relative to it."""
    ours = (config.output, config.plot, config.labels, config.model, config.debug_dir)
    paths = [os.path.relpath(path, config.input) for path in ours if path]
    return {
        name.replace(os.sep, "/")
        for path in paths
        for name in (path, path + ".partial")
    }


def _walk_directory(top: str, recursive: bool, own: set[str]) -> Iterator[str]:
    """Yields the names of files as they come, relative to `top`."""
    folders = [""]
    while folders:
        within = folders.pop()
        try:
            with os.scandir(os.path.join(top, within)) as entries:
                for entry in entries:
                    name = within + entry.name
                    if entry.name.startswith(".") or name in own:
                        continue
                    is_folder = _is_directory(entry)
                    if is_folder and not entry.is_symlink():
                        folders += [name + "/"] * recursive
                    if not is_folder or _named_like_an_image(name):
                        yield name
                    elif entry.is_symlink():
                        _warn_skipped(entry.path, "a link to a folder")
        except OSError as error:
            _warn_skipped(error.filename or os.path.join(top, within), error.strerror)


def _is_directory(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # A link that leads to itself.
        return False


def _named_like_an_image(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in _ENDINGS


def _warn_skipped(path: str, reason: str | None) -> None:
    print(f"warning: {path}: left out: {reason}", file=sys.stderr)


def find_labels(
    files: InputFiles, labels: Path | None, class_names: Sequence[str]
) -> Callable[[str], str] | None:
    """Finds the true classes of files, where they are known.

    Args:
      files: what will be read.
      labels: a CSV of `path,label`, or None to look at the names of folders and files.
      class_names: what counts as a label.

    Returns:
      A function from `File.name` to the name of its class, empty where that is not known; or None where none
      is.

    Raises:
      InferError: the CSV is no such CSV.
    """
    if labels is not None:
        known = _read_labels(labels, set(class_names))
        if not any(file.name in known for file in files):
            raise InferError(
                f"{labels}: none of its paths is that of a file in --input, like {next(iter(files)).name}"
            )
        return lambda name: known.get(name, "")
    folder = os.path.basename(os.path.abspath(files.top))
    find = functools.partial(
        _label_in_name, folder=folder, class_names=frozenset(class_names)
    )
    return find if any(find(file.name) for file in files) else None


def _label_in_name(name: str, folder: str, class_names: frozenset[str]) -> str:
    within, slash, base = name.rpartition("/")
    parent = within.rpartition("/")[2] if slash else folder
    if parent in class_names:
        return parent
    _, underscore, end = os.path.splitext(base)[0].rpartition("_")
    return end if underscore and end in class_names else ""


def _read_labels(path: Path, class_names: set[str]) -> dict[str, str]:
    try:
        with open(
            path, newline="", encoding="utf-8-sig", errors="surrogateescape"
        ) as file:
            rows = [
                [cell.strip() for cell in row[:2]] for row in csv.reader(file) if row
            ]
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
