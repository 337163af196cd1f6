"""tfds builders of MNIST, Fashion-MNIST, KMNIST and EMNIST that need no TensorFlow.

tfds' own builders of these sets read the source files with TensorFlow. These subclasses
read them with NumPy. Name, version, features and checksums stay, so the prepared set is
the same to any tfds user.
"""

import gzip
import io
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image
from tensorflow_datasets.image_classification import mnist

from cnn.data.types import DataError

_FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}
_IDX_MAGIC = [0, 0, 8]  # Two zeros, and the code of `uint8`.

# The source files of one split: images and labels.
_SourceFiles = list[Path] | list[zipfile.Path]

# A key and an example, as tfds expects them of a builder.
_KeyAndExample = tuple[int, dict[str, Any]]


class _IdxBuilder:
    """Mixin for tfds' builders: reads gzipped IDX files without TensorFlow."""

    URL: str

    def __init_subclass__(cls, **_: Any) -> None:
        # tfds' own builder keeps the name in its registry.
        super().__init_subclass__(skip_registration=True)  # type: ignore[call-arg]

    def _source_files(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, _SourceFiles]:
        """Downloads the source files of each split."""
        urls = {
            split: [self.URL + file for file in files]
            for split, files in _FILES.items()
        }
        downloads = dl_manager.download(urls)
        return {
            split: [Path(file) for file in files] for split, files in downloads.items()
        }

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Iterator[_KeyAndExample]]:
        return {
            split: self._generate_examples(*files)
            for split, files in self._source_files(dl_manager).items()
        }

    def _generate_examples(
        self, images_file: Path | zipfile.Path, labels_file: Path | zipfile.Path
    ) -> Iterator[_KeyAndExample]:
        images = read_idx(images_file)
        labels = read_idx(labels_file)
        for index, (image, label) in enumerate(zip(images, labels, strict=True)):
            png = io.BytesIO()
            Image.fromarray(image).save(png, "png", compress_level=1)
            png.seek(0)
            yield index, {"image": png, "label": int(label)}


class Mnist(_IdxBuilder, mnist.MNIST):
    """MNIST, from the original files that this package ships."""

    name = "mnist"


class FashionMnist(_IdxBuilder, mnist.FashionMNIST):
    """Fashion-MNIST: ten kinds of garment (Xiao et al. 2017)."""

    name = "fashion_mnist"


class Kmnist(_IdxBuilder, mnist.KMNIST):
    """KMNIST: ten classical Japanese characters (Clanuwat et al. 2018)."""

    name = "kmnist"


class Emnist(_IdxBuilder, mnist.EMNIST):
    """EMNIST: NIST's digits and letters (Cohen et al. 2017).

    One zip archive holds the IDX files of all configurations.
    """

    name = "emnist"

    def _source_files(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, _SourceFiles]:
        archive = zipfile.Path(zipfile.ZipFile(dl_manager.download(self.URL)), "gzip/")
        files: dict[str, _SourceFiles] = {}
        for split in ("train", "test"):
            stem = f"emnist-{self.builder_config.name}-{split}"
            images_file = archive / f"{stem}-images-idx3-ubyte.gz"
            labels_file = archive / f"{stem}-labels-idx1-ubyte.gz"
            files[split] = [images_file, labels_file]
        return files


TF_FREE_BUILDERS = {
    builder.name: builder for builder in (Mnist, FashionMnist, Kmnist, Emnist)
}


def read_idx(path: Path | zipfile.Path) -> np.ndarray:
    """Reads a gzipped IDX file of bytes.

    The format: magic number 0, 0, 8, then the rank (one byte each), the sizes (32-bit
    big-endian), the values (https://yann.lecun.com/exdb/mnist).

    Returns:
      `uint8`, of the rank and sizes that the file states.

    Raises:
      DataError: the file is damaged, or no gzipped IDX file.
    """
    try:
        with path.open("rb") as file:
            content = gzip.decompress(file.read())
        *magic, rank = struct.unpack_from(">4B", content)
        shape = struct.unpack_from(f">{rank}I", content, 4)
        if magic != _IDX_MAGIC:
            raise ValueError(f"magic number {magic} instead of {_IDX_MAGIC}")
        header_size = 4 + 4 * rank
        values = np.frombuffer(content, np.uint8, offset=header_size)
        return values.reshape(shape)
    except (ValueError, EOFError, OSError, struct.error, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not a whole gzipped IDX file ({error})") from error
