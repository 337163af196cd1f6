import os
import zipfile

import numpy as np
import pytest

from cnn.data import cache, datasets
from tests.data.conftest import only


def test_a_second_load_reads_the_cache_alone(copied):
    decoded = datasets.load("kmnist", "train", copied)
    record = only(copied, "kmnist/*/*train.array_record*")
    status = record.stat()
    record.write_bytes(bytes(status.st_size))
    # Of the same name, size and time: only a look inside would show the damage.
    os.utime(record, ns=(status.st_atime_ns, status.st_mtime_ns))
    again = datasets.load("kmnist", "train", copied)
    assert np.array_equal(again.images, decoded.images)
    assert np.array_equal(again.labels, decoded.labels)
    assert again.class_names == decoded.class_names


@pytest.mark.parametrize("damage", ["flip", "truncate", "empty", "other"])
def test_a_damaged_cache_is_ignored_and_made_again(copied, damage):
    path = only(copied, "kmnist/*/cnn-train.npz")
    whole = datasets.load("kmnist", "train", copied)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    broken = {
        "flip": bytes(content),
        "truncate": content[:1000],
        "empty": b"",
        "other": b"no zip",
    }
    path.write_bytes(broken[damage])
    again = datasets.load("kmnist", "train", copied)
    assert np.array_equal(again.images, whole.images)
    assert zipfile.ZipFile(path).testzip() is None


def test_a_stale_cache_is_ignored(copied, small_dir):
    path = only(copied, "kmnist/*/cnn-test.npz")
    with np.load(path) as arrays:
        changed = dict(arrays, labels=arrays["labels"] * 0)
    np.savez(path, **changed)
    assert not datasets.load("kmnist", "test", copied).labels.any()
    only(copied, "kmnist/*/*test.array_record*").touch()
    again = datasets.load("kmnist", "test", copied)
    expected = datasets.load("kmnist", "test", small_dir)
    assert np.array_equal(again.labels, expected.labels)


def test_a_folder_without_permission_is_left_without_a_cache(copied, monkeypatch):
    only(copied, "kmnist/*/cnn-train.npz").unlink()

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(cache, "atomic_write", refuse)
    assert len(datasets.load("kmnist", "train", copied).labels) == 640
    assert list(copied.glob("kmnist/*/cnn-train.npz")) == []
