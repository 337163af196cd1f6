"""Keeps the last document open, so that its next page is found at once.

A file of 10,000 pages would otherwise be searched from its beginning for each of them.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol, TypeVar

_FileKey = tuple[int, int, int, int, int]


class Document(Protocol):
    """An open file of several pages."""

    num_pages: int

    def close(self) -> None:
        """Frees its memory."""


DocumentT = TypeVar("DocumentT", bound=Document)


class _LastDocument(threading.local):
    """The last document of a thread, and how many callers want it kept.

    Attributes:
      keepers: callers within `keep_last_document`.
      key: the file and the type of the document, or None.
      document: the document, or None.
      file: its file, which is open as long as it is.
    """

    keepers = 0
    key: tuple[_FileKey, type] | None = None
    document: Document | None = None
    file: BinaryIO | None = None

    def replace(
        self,
        key: tuple[_FileKey, type] | None,
        document: Document | None,
        file: BinaryIO | None,
    ) -> None:
        """Closes the last document, and keeps another one."""
        last_document, last_file = self.document, self.file
        self.key, self.document, self.file = key, document, file
        if last_document is not None:
            with contextlib.suppress(Exception):
                last_document.close()
        if last_file is not None:
            last_file.close()


_last = _LastDocument()


@contextlib.contextmanager
def keep_last_document() -> Iterator[None]:
    """Keeps the last document open until the end of the outermost `with` block."""
    _last.keepers += 1
    try:
        yield
    finally:
        _last.keepers -= 1
        if not _last.keepers:
            _last.replace(None, None, None)


@contextlib.contextmanager
def open_document(
    file: BinaryIO, kind: Callable[[BinaryIO], DocumentT]
) -> Iterator[DocumentT]:
    """Opens a document, or takes the last one if it is of the same file.

    Args:
      file: the file. The document has its own descriptor of a local file.
      kind: the type of the document.
    """
    key = _file_key(file)
    if key is None or not _last.keepers:
        document = kind(file)
        try:
            yield document
        finally:
            document.close()
        return
    if _last.key != (key, kind):
        _open_and_keep(file, (key, kind), kind)
    try:
        yield _last.document  # type: ignore[misc]
    except Exception:
        # It may not be able to decode another page after a damaged one.
        _last.replace(None, None, None)
        raise


def _open_and_keep(
    file: BinaryIO, key: object, kind: Callable[[BinaryIO], DocumentT]
) -> None:
    # The previous document first, so that there is memory for one at a time.
    _last.replace(None, None, None)
    own_file = os.fdopen(os.dup(file.fileno()), "rb")
    try:
        document = kind(own_file)
    except BaseException:
        own_file.close()
        raise
    _last.replace(key, document, own_file)  # type: ignore[arg-type]


def _file_key(file: BinaryIO) -> _FileKey | None:
    """Identifies the content of a local file. Others have no key."""
    try:
        status = os.fstat(file.fileno())
    # The files of PyArrow and `BytesIO` have no descriptor.
    except (OSError, AttributeError, NotImplementedError):
        return None
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )
