"""Prepares tfds sets on disk: one process at a time, quietly, without remains."""

import contextlib
import logging
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import tensorflow_datasets as tfds
from tensorflow_datasets.core.download import downloader

from cnn.atomic_write import temporary_folder
from cnn.data.builders import TF_FREE_BUILDERS
from cnn.data.explain_errors import suggest_names, translate_errors
from cnn.data.types import DATASET_NAME, DataError, UnknownDatasetError
from cnn.file_lock import lock_file

MNIST_FOLDER = Path(__file__).parent / "mnist"
# Per download. With tfds' ten, a missing network is reported after minutes.
_MAX_RETRIES = 4


def load_builder(name: str, data_dir: Path) -> tfds.core.DatasetBuilder:
    """Returns the tfds builder of a set, and prepares the set's files if necessary.

    Args:
      name: as tfds writes it.
      data_dir: absolute path of tfds' folder. It is made if necessary.

    Raises:
      DataError: the set is unknown or cannot be prepared.
    """
    if not re.fullmatch(DATASET_NAME, name):
        raise UnknownDatasetError(suggest_names(name))
    with translate_errors(name, data_dir), _quiet_if_not_tty(), _without_bucket():
        builder = tfds.builder(name, data_dir=data_dir)
        if _is_prepared(builder):
            return builder
        with _lock_folder(data_dir), _remove_remains_on_error(data_dir):
            _prepare(name, data_dir)
        return tfds.builder(name, data_dir=data_dir)


def _is_prepared(builder: tfds.core.DatasetBuilder) -> bool:
    """Returns whether a set is prepared.

    Raises:
      DataError: there is something else in its place.
    """
    folder = Path(builder.data_path)
    # tfds writes this file last.
    if (folder / "dataset_info.json").exists():
        return True
    if _is_free(folder):
        return False
    raise DataError(
        f"{folder}: not a prepared set, it has no dataset_info.json (perhaps it was "
        "copied in part); complete or move it, or give another --data-dir"
    )


def _is_free(path: Path) -> bool:
    """Returns whether there is nothing at a path, or an empty folder."""
    return not path.exists() or (path.is_dir() and not any(path.iterdir()))


def _prepare(name: str, data_dir: Path) -> None:
    builder = tfds.builder(name, data_dir=data_dir)
    if _is_prepared(builder):  # Another process held the lock and prepared it.
        return
    print(f"preparing {builder.name} in {builder.data_dir}, once", file=sys.stderr)
    # Without network, a user can put the files here. Their checksums are checked, too.
    manual_dir = data_dir / "downloads" / "manual" / builder.name
    if builder.name == "mnist":
        manual_dir = MNIST_FOLDER
    config = tfds.download.DownloadConfig(manual_dir=manual_dir, try_download_gcs=False)
    with _working_folder(data_dir) as working_folder, _few_retries():
        _tf_free_builder(name, working_folder).download_and_prepare(
            download_dir=data_dir / "downloads",
            download_config=config,
            file_format="array_record",
        )
        _move_set(builder.name, working_folder, data_dir)


def _move_set(name: str, source: Path, target: Path) -> None:
    """Moves the folders of one set and version, which may replace empty folders."""
    for path in sorted((source / name).rglob("*")):
        moved = target / path.relative_to(source)
        if path.exists() and _is_free(moved):
            moved.parent.mkdir(parents=True, exist_ok=True)
            path.rename(moved)


@contextlib.contextmanager
def _working_folder(data_dir: Path) -> Iterator[Path]:
    """Makes the folder in which a set is prepared, and libraries' temporary files are.

    If this process is killed, the next one that prepares a set removes it.
    """
    previous = tempfile.tempdir
    with temporary_folder(data_dir / ".cnn-preparing") as folder:
        tempfile.tempdir = str(folder)
        try:
            yield folder
        finally:
            tempfile.tempdir = previous


def _tf_free_builder(name: str, data_dir: Path) -> tfds.core.DatasetBuilder:
    """Returns our builder of a set, else that of tfds."""
    builder = tfds.builder(name, data_dir=data_dir)
    builder_class = TF_FREE_BUILDERS.get(builder.name)
    if builder_class is None:
        return builder
    config = builder.builder_config and builder.builder_config.name
    return builder_class(data_dir=data_dir, config=config, version=str(builder.version))


@contextlib.contextmanager
def _lock_folder(data_dir: Path) -> Iterator[None]:
    """Lets one process at a time prepare sets in `data_dir`."""
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / ".cnn-lock"
    with lock_file(path, wait=True):
        try:
            yield
        finally:
            # Before the release. A waiting process notices, and makes a new file.
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def _remove_remains_on_error(data_dir: Path) -> Iterator[None]:
    """Removes partial downloads and empty folders of a preparation that failed."""
    before = _list_folders(data_dir)
    try:
        yield
    except BaseException:
        added = _list_folders(data_dir) - before
        for folder in sorted(added, reverse=True):  # Children before their parents.
            if ".tmp." in folder.name or folder.name == ".config":
                shutil.rmtree(folder, ignore_errors=True)
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def _list_folders(top: Path) -> set[Path]:
    folders: set[Path] = set()
    for root, names, _ in os.walk(top):
        folders.update(Path(root, name) for name in names)
    return folders


@contextlib.contextmanager
def _quiet_if_not_tty() -> Iterator[None]:
    """Keeps tfds off stdout, and its progress bars off a stderr that is no terminal."""
    if sys.stderr.isatty():
        tfds.enable_progress_bar()
    else:
        tfds.disable_progress_bar()
    try:
        with open(os.devnull, "w") as null, contextlib.redirect_stdout(null):
            yield
    finally:
        tfds.enable_progress_bar()


@contextlib.contextmanager
def _without_bucket() -> Iterator[None]:
    """Keeps tfds from asking its bucket for a description of a set.

    It would leave a folder behind in the temporary folder, and may wait for a network.
    """
    read = tfds.core.DatasetInfo.initialize_from_bucket
    tfds.core.DatasetInfo.initialize_from_bucket = lambda _: None
    try:
        yield
    finally:
        tfds.core.DatasetInfo.initialize_from_bucket = read


@contextlib.contextmanager
def _few_retries() -> Iterator[None]:
    """Limits tfds' retries per download, and silences the warning about each."""
    logger = logging.getLogger("urllib3")
    level = logger.level
    retries = downloader.MAX_RETRIES
    logger.setLevel(logging.ERROR)
    downloader.MAX_RETRIES = _MAX_RETRIES
    try:
        yield
    finally:
        downloader.MAX_RETRIES = retries
        logger.setLevel(level)
