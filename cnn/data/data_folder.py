"""Finds the folder of prepared sets, also for a user without a home."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cnn.atomic_write import temporary_folder
from cnn.data.types import DataError
from cnn.errors import UsageError
from cnn.local_path import local_path


def given_folder(data_dir: str | Path | None) -> Path | None:
    """Returns the absolute path that is given, also by `$TFDS_DATA_DIR`, or None.

    Raises:
      UsageError: it is a URI, or its `~` has no meaning.
    """
    data_dir = data_dir or os.environ.get("TFDS_DATA_DIR")
    return local_path(data_dir).absolute() if data_dir else None


@contextlib.contextmanager
def open_data_folder(data_dir: str | Path | None) -> Iterator[Path]:
    """Yields the folder of prepared sets.

    By default it is `$TFDS_DATA_DIR`, else `~/tensorflow_datasets`. Where the home is
    missing or cannot be written, it is in `$XDG_CACHE_HOME`. Without that, it is
    a temporary folder, which is removed at the end of the `with` block.

    Args:
      data_dir: the folder instead of the default.

    Yields:
      An absolute path. The folder may not exist.

    Raises:
      UsageError: the folder is a URI, or its `~` has no meaning.
      DataError: there is no folder to write to.
    """
    if given := given_folder(data_dir):
        yield given
        return
    for folder in _default_folders():
        if _is_usable(folder):
            yield folder
            return
    print(
        "no home to keep prepared data sets in: they are prepared for this run alone; "
        "give --data-dir to keep them",
        file=sys.stderr,
    )
    with temporary_folder(_temporary_name()) as folder:
        yield folder


def _default_folders() -> Iterator[Path]:
    with contextlib.suppress(UsageError):
        yield local_path("~/tensorflow_datasets")
    cache = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(cache):
        yield Path(cache, "cnn", "tensorflow_datasets")


def _is_usable(folder: Path) -> bool:
    """Returns whether a folder exists or can be made."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return existing == folder or (
        existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
    )


def _temporary_name() -> Path:
    try:
        return Path(tempfile.gettempdir(), f"cnn-data-{os.urandom(6).hex()}")
    except FileNotFoundError as error:
        raise DataError(
            "no folder to prepare data sets in: neither the home nor a temporary "
            "folder can be written; give --data-dir"
        ) from error
