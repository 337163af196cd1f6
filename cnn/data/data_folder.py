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
from cnn.user_path import as_uri, is_uri, resolve_path


def given_folder(data_dir: str | Path | None) -> Path | None:
    """Returns the absolute path that is given, also by `$TFDS_DATA_DIR`, or None.

    Raises:
      UsageError: it is a URI, or there is no home folder for its `~`.
    """
    name = "--data-dir" if data_dir else "TFDS_DATA_DIR"
    given = data_dir or os.environ.get("TFDS_DATA_DIR")
    if not given:
        return None
    if is_uri(given):
        raise UsageError(
            f"{name}: {as_uri(given)}: is not a local path; copy or mount it, and give "
            "its path on this machine"
        )
    return resolve_path(given, name).absolute()


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
        if folder.is_absolute() and _is_usable(folder):
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
        yield resolve_path("~/tensorflow_datasets", "HOME")
    yield Path(os.environ.get("XDG_CACHE_HOME", ""), "cnn", "tensorflow_datasets")


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
