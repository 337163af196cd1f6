"""Shared by the tests of `cnn.data`."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from cnn import data

MNIST_FOLDER = Path(data.__file__).parent / "mnist"


@pytest.fixture
def copied(small_dir, tmp_path) -> Path:
    return shutil.copytree(small_dir, tmp_path / "data", copy_function=shutil.copy2)


def only(folder: Path, pattern: str) -> Path:
    (path,) = folder.glob(pattern)
    return path


def multiset(images: np.ndarray, labels: np.ndarray) -> list[tuple[int, bytes]]:
    return sorted(
        (int(label), image.tobytes())
        for image, label in zip(images, labels, strict=True)
    )


def message(name: str, split: str = "train", data_dir: Path | None = None) -> str:
    with pytest.raises(data.DataError) as error:
        data.load(name, split, data_dir)
    assert "\n" not in str(error.value)
    return str(error.value)
