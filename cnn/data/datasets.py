"""Labelled pictures by tensorflow-datasets name, as plain arrays in memory.

tfds prepares a set once, in its own folder and format, so every other tfds user can read it. The
decoded arrays are kept beside it, and from then on loading takes a fraction of a second.
"""

import contextlib
import hashlib
import io
import json
import os
import re
import sys
import zipfile
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np

from cnn.atomic_write import atomic_write
from cnn.errors import Error, UsageError

# Raise it when what `_decode` makes of the same prepared files changes.
_CACHE_FORMAT = 1


# set, set/configuration, either with :version
_NAME = r"\w+(/[\w.-]+)?(:[\w.*]+)?"


class DataError(Error):
    """A data set that could not be prepared or read."""


class UnknownDatasetError(DataError, UsageError):
    """No data set has this name."""


class UnknownSplitError(DataError):
    """The data set has no such split."""


class Dataset(NamedTuple):
    """A split in memory.

    Attributes:
      images: `uint8 (N, 28, 28, 1)`, 0 is the background of MNIST-like sets.
      labels: `int32 (N,)`, in `[0, len(class_names))`.
      class_names: what a person would write for each label.
    """

    images: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]


def load(
    name: str = "mnist", split: str = "train", data_dir: str | Path | None = None
) -> Dataset:
    """Loads one split of a tfds image-classification set, preparing it the first time.

    Args:
      name: as tfds writes it: `mnist`, `emnist/letters`, `fashion_mnist:3.0.1`.
      split: as tfds writes it: `train`, `test`, `train[:10%]`.
      data_dir: tfds' own; by default `$TFDS_DATA_DIR`, else `~/tensorflow_datasets`.

    Returns:
      A `Dataset`; pictures of other sizes or colours are made grey and fitted into 28×28.

    Raises:
      DataError: in one line, what is wrong and what to do.

    Example:
      >>> test = load("mnist", "test")
      >>> test.images.shape, test.images.dtype, test.labels[:4].dtype, test.class_names[7]
      ((10000, 28, 28, 1), dtype('uint8'), dtype('int32'), '7')
    """
    folder = _prepared_folder(name, _data_dir(data_dir))
    cached = folder and _read_cache(folder, split)
    return cached or _load_with_tfds(name, split, data_dir)


def _data_dir(data_dir: str | Path | None) -> Path:
    default = os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    return Path(data_dir or default).expanduser().absolute()


def _prepared_folder(name: str, data_dir: Path) -> Path | None:
    """Finds the one prepared version without importing tfds, which takes half a second."""
    if not re.fullmatch(_NAME, name):
        return None
    path, _, version = name.partition(":")
    infos = list((data_dir / path).glob(f"{version or '*.*.*'}/dataset_info.json"))
    return infos[0].parent if len(infos) == 1 else None


def _load_with_tfds(name: str, split: str, data_dir: str | Path | None) -> Dataset:
    from cnn.data import builders

    builder = builders.load_builder(name, _data_dir(data_dir))
    folder = Path(builder.data_dir)
    dataset = _read_cache(
        folder, split
    )  # A second look: tfds knows default configs and versions.
    if dataset is None:
        dataset = Dataset(*builders.decode_split(builder, split))
        _write_cache(folder, split, dataset)
    return dataset


def _cache_path(folder: Path, split: str) -> Path:
    return folder / f"cnn-{quote(split, safe='')}.npz"


def _fingerprint(folder: Path) -> str:
    """Identifies the prepared files, so that a cache made from other files is not believed."""
    files = sorted(
        f for f in folder.iterdir() if "record" in f.suffix or f.suffix == ".json"
    )
    stamps = [(f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    return hashlib.sha256(json.dumps([_CACHE_FORMAT, stamps]).encode()).hexdigest()


def _read_cache(folder: Path, split: str) -> Dataset | None:
    """Returns the decoded arrays, or None when there are none, or stale or damaged ones."""
    try:
        with zipfile.ZipFile(_cache_path(folder, split)) as archive:
            # Whole members, since zipfile checks a member's CRC only when it is read to its end.
            parts = {
                n: np.load(io.BytesIO(archive.read(n))) for n in archive.namelist()
            }
        if str(parts["fingerprint.npy"]) != _fingerprint(folder):
            return None
        names = tuple(str(name) for name in parts["class_names.npy"])
        return Dataset(parts["images.npy"], parts["labels.npy"], names)
    except (
        OSError,
        ValueError,
        KeyError,
        EOFError,
        zipfile.BadZipFile,
        NotImplementedError,
    ):
        return None


def _write_cache(folder: Path, split: str, dataset: Dataset) -> None:
    """Keeps the decoded arrays, whole or not at all; without room or permission, not at all."""
    arrays: dict[str, Any] = dict(dataset._asdict(), fingerprint=_fingerprint(folder))
    arrays["class_names"] = np.array(dataset.class_names)
    path = _cache_path(folder, split)
    with (
        contextlib.suppress(OSError),
        atomic_write(path) as partial,
        open(partial, "wb") as file,
    ):
        np.savez(file, **arrays)


def load_train_and_test(
    name: str, data_dir: str | Path | None = None
) -> tuple[Dataset, Dataset]:
    """Loads what to train on and what to test on.

    A set without a `test` split gives its `validation` split to the test, or the last tenth of
    `train`; a line on stderr says so.
    """
    try:
        return load(name, "train", data_dir), load(name, "test", data_dir)
    except UnknownSplitError:
        pass
    for train, test in (("train", "validation"), ("train[:90%]", "train[90%:]")):
        with contextlib.suppress(UnknownSplitError):
            splits = load(name, train, data_dir), load(name, test, data_dir)
            print(f"{name} has no test split: testing on {test}", file=sys.stderr)
            return splits
    raise UnknownSplitError(f"data set {name!r} has no 'train' split to learn from")


def preprocessing_for(name: str) -> str:
    """Names, in the words of `cnn.images`, how the makers of a set placed what it shows.

    Example:
      >>> preprocessing("emnist/letters"), preprocessing("cifar10")
      ('emnist', 'resize')
    """
    base = name.partition(":")[0].partition("/")[0].lower()
    return base if base in ("mnist", "emnist") else "resize"
