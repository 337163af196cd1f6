"""Caches the decoded arrays of a split, as one `.npz` file beside the prepared set."""

import contextlib
import hashlib
import io
import json
import zipfile
from pathlib import Path
from urllib.parse import quote

import numpy as np

from cnn.atomic_write import atomic_write
from cnn.data.types import Dataset

# To be raised when `records.decode_split` returns other arrays for the same files.
_CACHE_VERSION = 1

# Raised by reading a missing or damaged cache.
_DAMAGE_ERRORS = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    zipfile.BadZipFile,
    NotImplementedError,
)


def read_cache(folder: Path, split: str) -> Dataset | None:
    """Reads the cached split of the set that is prepared in `folder`.

    Returns:
      The split, or None where it is not cached, the cache is damaged, or the prepared
      files have changed since.
    """
    try:
        arrays = _read_arrays(_cache_path(folder, split))
        if str(arrays["fingerprint.npy"]) != _compute_fingerprint(folder):
            return None
        class_names = tuple(str(name) for name in arrays["class_names.npy"])
        return Dataset(arrays["images.npy"], arrays["labels.npy"], class_names)
    except _DAMAGE_ERRORS:
        return None


def write_cache(folder: Path, split: str, dataset: Dataset) -> None:
    """Writes the cache of a split, whole or not at all.

    Without space or permission nothing is written, and nothing is raised.
    """
    arrays = {
        "images": dataset.images,
        "labels": dataset.labels,
        "class_names": np.array(dataset.class_names),
        "fingerprint": np.array(_compute_fingerprint(folder)),
    }
    path = _cache_path(folder, split)
    with (
        contextlib.suppress(OSError),
        atomic_write(path) as partial,
        open(partial, "wb") as file,
    ):
        np.savez(file, **arrays)  # type: ignore[arg-type]


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Reads all members of an `.npz`, each to its end: only then its CRC is checked."""
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            arrays[name] = np.load(io.BytesIO(archive.read(name)))
    return arrays


def _cache_path(folder: Path, split: str) -> Path:
    return folder / f"cnn-{quote(split, safe='')}.npz"


def _compute_fingerprint(folder: Path) -> str:
    """Hashes name, size and modification time of each prepared file."""
    stamps = []
    for file in sorted(folder.iterdir()):
        if "record" in file.suffix or file.suffix == ".json":
            status = file.stat()
            stamps.append((file.name, status.st_size, status.st_mtime_ns))
    content = json.dumps([_CACHE_VERSION, stamps])
    return hashlib.sha256(content.encode()).hexdigest()
