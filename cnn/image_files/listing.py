"""Lists the input files of a run: files, folders or a URI, in natural order."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cnn.errors import Error
from cnn.image_files.natural_sort import NAME_ENCODING, SortedNames
from cnn.preprocessing import decode
from cnn.user_path import as_uri, is_uri

FORMATS = ", ".join(decode.FORMATS)
# Whether paths are decoded as names are.
_IS_UTF8 = (sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()) == (
    NAME_ENCODING["encoding"],
    NAME_ENCODING["errors"],
)
# A folder with such a suffix may be a mistake for an image, so it gets a row.
# fmt: off
_IMAGE_SUFFIXES = {
    ".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm",
    ".apng", ".avif", ".heic", ".heif", ".pdf",
}
# fmt: on


class PathError(Error):
    """An input or an output that cannot be used."""


class InputFile(NamedTuple):
    """A file to read.

    Attributes:
      path: path or URI of the file.
      name: path relative to the input, with `/` as separator, decoded as UTF-8 in
        every locale. Bytes that are not UTF-8 are surrogates (PEP 383).
    """

    path: str
    name: str


class InputFiles:
    """The files of a folder in natural order, which can be iterated repeatedly."""

    def __init__(self, top: str, names: Iterable[str]) -> None:
        """Sorts the names.

        Args:
          top: path or URI of the folder.
          names: paths relative to the folder, with `/` as separator, in any order.
        """
        self.top = top
        self._names = SortedNames(names)

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[InputFile]:
        return locate(self.top, self._names)

    @property
    def names(self) -> SortedNames:
        """The names of the files, which are found quicker than their paths."""
        return self._names


def locate(top: str, names: Iterable[str]) -> Iterator[InputFile]:
    """Joins the folder and the names of its files."""
    # With a slash at its end. Most of the time of `os.path.join` goes into checks.
    folder = os.path.join(top, "") if top else ""
    is_path = not is_uri(top)
    for name in names:
        path = to_path(name) if is_path else name
        yield InputFile(path if path[:1] == "/" else folder + path, name)


def to_path(name: str) -> str:
    """Returns the path of a name, as the locale decodes it."""
    return name if _IS_UTF8 else os.fsdecode(name.encode(**NAME_ENCODING))


def _to_name(path: str) -> str:
    """Returns a path decoded as UTF-8, the inverse of `to_path`."""
    return path if _IS_UTF8 else os.fsencode(path).decode(**NAME_ENCODING)


def describe_name(name: str) -> str:
    r"""Returns a name that can be printed: bytes that are not UTF-8 become `\xff`."""
    return name.encode(**NAME_ENCODING).decode(errors="backslashreplace")


def list_inputs(
    inputs: Path | str | Sequence[Path],
    recursive: bool,
    exclude: Iterable[Path | None] = (),
) -> InputFiles:
    """Lists the input files, without hidden files and folders.

    Args:
      inputs: a folder, a file or a URI, which is always listed recursively
        (https://arrow.apache.org/docs/python/filesystems.html). Or several files and
        folders, whose files are named by their path as given, and are listed once.
      recursive: whether to list the sub-folders of a folder.
      exclude: files and folders to leave out, also while they are written as `.partial`
        files. None is ignored.

    Raises:
      PathError: an input does not exist, or there are no files.
    """
    if isinstance(inputs, str | Path):
        inputs = [Path(inputs)]
    if len(inputs) > 1:
        return _list_several(inputs, recursive, list(exclude))
    (top,) = inputs
    if is_uri(top):
        return _list_uri(as_uri(top))
    if top.is_file():
        return InputFiles(os.path.dirname(top), [_to_name(top.name)])
    files = InputFiles(str(top), _list_one(top, recursive, exclude))
    if not len(files):
        raise _nothing_to_read(top, recursive)
    return files


def _list_several(
    inputs: Sequence[Path], recursive: bool, exclude: list[Path | None]
) -> InputFiles:
    """Lists files and folders. Files are named by their path as given."""
    names: dict[str, str] = {}
    left_out = _relative_names(exclude, Path())
    for path in inputs:
        if os.path.lexists(path) and not path.is_dir():
            found = [] if os.path.relpath(path) in left_out else [str(path)]
        else:
            found = [
                os.path.join(path, to_path(name))
                for name in _list_one(path, recursive, exclude)
            ]
        for name in found:
            names.setdefault(os.path.abspath(name), _to_name(name))
    if not names:
        raise _nothing_to_read(describe_inputs(inputs), recursive)
    return InputFiles("", names.values())


def _list_one(
    top: Path, recursive: bool, exclude: Iterable[Path | None]
) -> Iterator[str]:
    if not top.is_dir():
        raise PathError(f"{top}: no such folder or image; --input names what to read")
    return map(
        _to_name, _walk_folder(str(top), recursive, _relative_names(exclude, top))
    )


def describe_inputs(inputs: Sequence[Path]) -> str:
    """Names the first input, and counts the others.

    Example:
      >>> describe_inputs([Path("a.png"), Path("b.png"), Path("c.png")])
      'a.png and 2 more'
    """
    others = f" and {len(inputs) - 1:,} more" if len(inputs) > 1 else ""
    return f"{inputs[0]}{others}"


def _nothing_to_read(top: Path | str, recursive: bool) -> PathError:
    hint = "" if recursive else " (and --no-recursive leaves out the folders in it)"
    return PathError(
        f"{top}: nothing to read in this folder{hint}; expected {FORMATS} images"
    )


def _list_uri(uri: str) -> InputFiles:
    from pyarrow import fs

    try:
        filesystem, folder = fs.FileSystem.from_uri(uri)
        infos = filesystem.get_file_info(fs.FileSelector(folder, recursive=True))
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise PathError(f"{uri}: cannot be listed: {reason}") from error
    paths = (info.path for info in infos if info.type == fs.FileType.File)
    names = (path[len(folder) :].lstrip("/") for path in paths)
    files = InputFiles(uri, (name for name in names if not _is_hidden(name)))
    if not len(files):
        raise _nothing_to_read(uri, recursive=True)
    return files


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def _relative_names(paths: Iterable[Path | None], top: Path) -> set[str]:
    """Returns paths and their `.partial` files relative to a folder, with `/`."""
    names: set[str] = set()
    for path in paths:
        if path is not None:
            name = os.path.relpath(path, top).replace(os.sep, "/")
            names.update((name, name + ".partial"))
    return names


def _walk_folder(top: str, recursive: bool, excluded: set[str]) -> Iterator[str]:
    """Yields the names of files relative to `top`, in the order of the file system."""
    folders = [""]
    while folders:
        folder = folders.pop()
        for entry in _scan_folder(os.path.join(top, folder)):
            name = folder + entry.name
            if entry.name.startswith(".") or name in excluded:
                continue
            if not _is_folder(entry):
                yield name
                continue
            is_link = entry.is_symlink()
            if recursive and not is_link:
                folders.append(name + "/")
            if _has_image_suffix(name):
                yield name
            elif is_link:
                _warn_skipped(entry.path, "a link to a folder")


def _scan_folder(path: str) -> Iterator[os.DirEntry]:
    try:
        with os.scandir(path) as entries:
            yield from entries
    except OSError as error:
        _warn_skipped(error.filename or path, error.strerror)


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # A symbolic link to itself.
        return False


def _has_image_suffix(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in _IMAGE_SUFFIXES


def _warn_skipped(path: str, reason: str | None) -> None:
    print(f"warning: {path}: left out: {reason}", file=sys.stderr)
