"""Writes files completely or not at all."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

# Characters of the final name in a temporary name. A file name has at most 255 bytes.
_MAX_NAME_LENGTH = 200
_temporary_files: set[Path] = set()
_temporary_folders: set[Path] = set()


def remove_temporary_files() -> None:
    """Removes unfinished files and temporary folders, before `os._exit`."""
    for temporary in list(_temporary_files):
        temporary.unlink(missing_ok=True)
    for folder in list(_temporary_folders):
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def temporary_folder(folder: Path) -> Iterator[Path]:
    """Makes a folder, and removes it with its content at the end of the `with` block.

    Args:
      folder: its path. What a killed process has left there is removed first.

    Raises:
      OSError: the folder cannot be made.
    """
    shutil.rmtree(folder, ignore_errors=True)
    _temporary_folders.add(folder)
    try:
        folder.mkdir(parents=True)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _temporary_folders.discard(folder)


@contextlib.contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yields a temporary path to write to, which replaces `path` at the end.

    After an exception in the `with` block, `path` is unchanged. A symbolic link is
    followed. A path that is not a regular file (a pipe, /dev/null) is yielded itself.

    Args:
      path: the file to write.

    Raises:
      OSError: the file cannot be written; `filename` is `path`.

    Example:
      >>> import tempfile
      >>> path = Path(tempfile.mkdtemp(), "a.txt")
      >>> with atomic_write(path) as temporary:
      ...     _ = temporary.write_text("whole")
      ...     path.exists()
      False
      >>> path.read_text()
      'whole'
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        yield path
        return
    # Processes of different hosts may have the same number.
    suffix = f"{os.getpid()}-{os.urandom(4).hex()}"
    temporary = path.with_name(f".{path.name[:_MAX_NAME_LENGTH]}.{suffix}")
    _temporary_files.add(temporary)
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        # The error of a full disk has no file name.
        if error.filename in (None, str(temporary)):
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)
        _temporary_files.discard(temporary)
