"""Opens an image source, a local file, a URI or bytes, exactly once.

Folders, pipes, devices and empty files are rejected.
"""

import contextlib
import io
import os
import stat
from collections.abc import Iterator
from typing import BinaryIO

from cnn.preprocessing import small_png
from cnn.preprocessing.decode import UnreadableImageError
from cnn.preprocessing.source import Source

# O_NONBLOCK opens a named pipe without waiting for a writer. O_NOCTTY keeps a terminal
# from becoming the controlling one.
_OPEN_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY


@contextlib.contextmanager
def open_source(source: Source) -> Iterator[bytes | BinaryIO]:
    """Opens a regular file for reading, or the bytes of one.

    Args:
      source: has a local path, or a URI that PyArrow supports
        (https://arrow.apache.org/docs/python/filesystems.html), or bytes.

    Yields:
      The whole content of a file of up to `small_png.MAX_BYTES` bytes, and a file
      object for a larger one.

    Raises:
      UnreadableImageError: the file is not regular, is empty, or cannot be read.
    """
    path = source.path
    if source.content is not None:
        yield _open_content(source.content)
        return
    if "://" in path:
        with _open_uri(path) as file:
            yield file
        return
    descriptor = _open_descriptor(path)
    try:
        size = _check_regular_file(descriptor)
        if size <= small_png.MAX_BYTES:
            yield os.read(descriptor, small_png.MAX_BYTES)
        else:
            with open(descriptor, "rb", closefd=False) as file:
                yield file
    except OSError as error:
        raise UnreadableImageError(_describe_error(path, error)) from error
    finally:
        os.close(descriptor)


def to_file_object(source: bytes | BinaryIO) -> BinaryIO:
    """Returns a file object for either kind of source that `open_source` yields."""
    if isinstance(source, bytes):
        return io.BytesIO(source)
    return source


def _open_content(content: bytes) -> bytes | BinaryIO:
    if not content:
        raise UnreadableImageError("empty file")
    return content if len(content) <= small_png.MAX_BYTES else io.BytesIO(content)


def _open_descriptor(path: str) -> int:
    try:
        return os.open(path, _OPEN_FLAGS)
    # A path with a null byte raises ValueError.
    except (OSError, ValueError) as error:
        raise UnreadableImageError(_describe_error(path, error)) from error


def _check_regular_file(descriptor: int) -> int:
    """Returns the size of a regular file, in bytes, and rejects any other file."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        is_folder = stat.S_ISDIR(status.st_mode)
        reason = "a folder, not an image" if is_folder else "not a regular file"
        raise UnreadableImageError(reason)
    if status.st_size == 0:
        raise UnreadableImageError("empty file")
    return status.st_size


@contextlib.contextmanager
def _open_uri(uri: str) -> Iterator[bytes | BinaryIO]:
    from pyarrow import fs

    try:
        file_system, path = fs.FileSystem.from_uri(uri)
        with file_system.open_input_file(path) as file:
            size = file.size()
            if size == 0:
                raise UnreadableImageError("empty file")
            yield file.read() if size <= small_png.MAX_BYTES else file
    except (OSError, ValueError) as error:
        raise UnreadableImageError(_describe_error(uri, error)) from error


def _describe_error(path: str, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        if os.path.islink(path):
            return "a link to a file that is not there"
        return "no such file"
    if isinstance(error, PermissionError):
        return "no permission to read it"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read: {error.strerror.lower()}"
    return f"cannot be read: {error}"
