"""Where a picture's bytes come from: a file, opened once, that is one."""

import contextlib
import io
import os
import stat
from collections.abc import Iterator
from typing import BinaryIO

from cnn.preprocessing import small_png
from cnn.preprocessing.decode import UnreadableImageError

# A pipe that has taken a file's place is opened, too, without waiting for its other end.
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOCTTY", 0)
)


@contextlib.contextmanager
def open_source(path: str) -> Iterator[bytes | BinaryIO]:
    """Opens a file of any kind.

    Args:
      path: where it is; or a URI (https://arrow.apache.org/docs/python/filesystems.html).

    Yields:
      All bytes of a small file; a larger one as it is.

    Raises:
      UnreadableImageError: it is no regular file, or empty, or cannot be read.
    """
    if "://" in path:
        with _open_remote(path) as remote:
            yield remote
        return
    try:
        number = os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        raise UnreadableImageError(_explain_failure(path, error)) from error
    try:
        about = os.fstat(number)
        if not stat.S_ISREG(about.st_mode):
            is_folder = stat.S_ISDIR(about.st_mode)
            raise UnreadableImageError(
                "a folder, not an image" if is_folder else "not a regular file"
            )
        if about.st_size == 0:
            raise UnreadableImageError("empty file")
        if about.st_size <= small_png.MAX_BYTES:
            yield os.read(number, small_png.MAX_BYTES)
        else:
            with open(number, "rb", closefd=False) as file:
                yield file
    except OSError as error:
        raise UnreadableImageError(_explain_failure(path, error)) from error
    finally:
        os.close(number)


@contextlib.contextmanager
def _open_remote(uri: str) -> Iterator[bytes | BinaryIO]:
    from pyarrow import fs

    try:
        system, path = fs.FileSystem.from_uri(uri)
        with system.open_input_file(path) as file:
            if file.size() == 0:
                raise UnreadableImageError("empty file")
            yield file.read() if file.size() <= small_png.MAX_BYTES else file
    except (OSError, ValueError) as error:
        raise UnreadableImageError(_explain_failure(uri, error)) from error


def to_file_object(source: bytes | BinaryIO) -> BinaryIO:
    """Makes a file of what `opened` yields."""
    return io.BytesIO(source) if isinstance(source, bytes) else source


def _explain_failure(path: str, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return (
            "a link to a file that is not there"
            if os.path.islink(path)
            else "no such file"
        )
    if isinstance(error, PermissionError):
        return "no permission to read it"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read: {error.strerror.lower()}"
    return f"cannot be read: {error}"
