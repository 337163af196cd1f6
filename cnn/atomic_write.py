"""Writes files completely or not at all."""

import contextlib
import os
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

# Characters of the final name in a temporary name. A file name has at most 255 bytes.
_MAX_NAME_LENGTH = 200
_temporary_files: set[Path] = set()
_temporary_folders: set[Path] = set()
# Characters of a path that /proc/self/mountinfo has as three octal digits.
_OCTAL_ESCAPE = re.compile(rb"\\([0-7]{3})")


def remember_temporary_file(path: Path) -> None:
    """Has a file removed by `remove_temporary_files`."""
    _temporary_files.add(path)


def forget_temporary_file(path: Path) -> None:
    """Keeps a file from being removed by `remove_temporary_files`."""
    _temporary_files.discard(path)


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


def is_written_in_place(path: str | Path) -> bool:
    """Tells whether a regular file cannot be replaced by renaming another one.

    So it is with a file that is mounted into a container by itself, with a file in a
    folder that is read-only, and with a file of another user in a folder like /tmp. A
    path without a file can always be renamed to, or not at all.
    """
    path = Path(os.path.realpath(path))
    if not path.is_file():
        return False
    if not os.access(path.parent, os.W_OK):
        return True
    return _is_kept_by_sticky_folder(path) or _is_mount_point(path)


def find_write_problem(path: Path, flag: str) -> str | None:
    """Finds out, before long work, why a file could not be written after it.

    Args:
      path: the file.
      flag: the flag that names it.

    Returns:
      One line for the user, or None if the file can be written.
    """
    target = Path(os.path.realpath(path))
    in_place = is_written_in_place(target)
    if path.is_dir():
        return f"{path}: is a folder; {flag} needs the name of a file"
    if not target.parent.is_dir():
        return f"{path.parent}: no such folder; make it, or give another {flag}"
    if not in_place and not os.access(target.parent, os.W_OK):
        return f"{path.parent}: no permission to write there; give another {flag}"
    if in_place and not os.access(target, os.R_OK | os.W_OK):
        return f"{path}: no permission to write this file; give another {flag}"
    return None


def _is_kept_by_sticky_folder(path: Path) -> bool:
    folder = path.parent.stat()
    owners = (0, folder.st_uid, path.stat().st_uid)
    return bool(folder.st_mode & stat.S_ISVTX) and os.geteuid() not in owners


def _is_mount_point(path: Path) -> bool:
    """Tells whether a file is a mount point, which `os.path.ismount` does not know."""
    try:
        lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    except OSError:  # Not on Linux.
        return False
    points = (line.split()[4] for line in lines)
    return os.fsencode(path) in (
        _OCTAL_ESCAPE.sub(_unescape, point) for point in points
    )


def _unescape(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1], 8)])


@contextlib.contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yields a temporary path to write to, which replaces `path` at the end.

    After an exception in the `with` block, `path` is unchanged. A symbolic link is
    followed. A path that is not a regular file (a pipe, /dev/null) is yielded itself.
    So is one that `is_written_in_place`, which may be left incomplete.

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
    if (path.exists() and not path.is_file()) or is_written_in_place(path):
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
