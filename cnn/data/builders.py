"""tfds builders: ours for MNIST's relatives, which need no TensorFlow, and tfds' own for the rest."""

import contextlib
import difflib
import errno
import fcntl
import gzip
import io
import itertools
import logging
import os
import re
import shutil
import struct
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import requests
import tensorflow_datasets as tfds
from PIL import Image, ImageOps
from tensorflow_datasets.core.download import downloader
from tensorflow_datasets.image_classification import mnist
from tqdm import tqdm

from cnn.data.datasets import _NAME, DataError, UnknownDatasetError, UnknownSplitError

_EMBEDDED = Path(__file__).parent / "mnist"
_SIZE = (28, 28)

# What the labels of EMNIST stand for, from the *-mapping.txt files of its archive (Cohen et al.
# 2017); `by merge` joins the letters whose two cases look alike.
_DIGITS = "0123456789"
_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MERGED = _DIGITS + _UPPER + "abdefghnqrt"
_EMNIST_CHARACTERS = {
    "byclass": _DIGITS + _UPPER + _UPPER.lower(),
    "bymerge": _MERGED,
    "balanced": _MERGED,
    "letters": _UPPER,
    "digits": _DIGITS,
    "mnist": _DIGITS,
}


class _Idx:
    """Prepares a set of IDX files without TensorFlow, which tfds' own builders need for it.

    To be mixed in before tfds' builder, whose name, version, features and checksums stay, so the
    result is the same set to any tfds user.
    """

    def __init_subclass__(cls, **_: Any) -> None:
        # tfds' own builder keeps the name in its registry.
        super().__init_subclass__(skip_registration=True)  # type: ignore[call-arg]

    def _files(self, dl_manager: Any) -> dict[str, Any]:
        names = {
            "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
            "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
        }
        urls = {split: [self.URL + n for n in pair] for split, pair in names.items()}  # type: ignore[attr-defined]
        return {
            split: [Path(p) for p in pair]
            for split, pair in dl_manager.download(urls).items()
        }

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        files = self._files(dl_manager)
        return {split: self._generate_examples(*pair) for split, pair in files.items()}

    def _generate_examples(
        self, images: Any, labels: Any
    ) -> Iterator[tuple[int, dict]]:
        for index, (image, label) in enumerate(
            zip(read_idx(images), read_idx(labels), strict=True)
        ):
            png = io.BytesIO()
            Image.fromarray(image).save(png, "png", compress_level=1)
            png.seek(0)
            yield index, {"image": png, "label": int(label)}


class Mnist(_Idx, mnist.MNIST):
    """MNIST, from the original files that this package ships."""

    name = "mnist"


class FashionMnist(_Idx, mnist.FashionMNIST):
    """Zalando's garments in MNIST's format."""

    name = "fashion_mnist"


class Kmnist(_Idx, mnist.KMNIST):
    """Ten classical Japanese characters in MNIST's format."""

    name = "kmnist"


class Emnist(_Idx, mnist.EMNIST):
    """NIST's digits and letters; one zip archive holds the IDX files of all its configurations."""

    name = "emnist"

    def _files(self, dl_manager: Any) -> dict[str, Any]:
        archive = zipfile.Path(zipfile.ZipFile(dl_manager.download(self.URL)), "gzip/")
        stem = f"emnist-{self.builder_config.name}-{{}}-{{}}-ubyte.gz"
        parts = ("images-idx3", "labels-idx1")
        return {
            s: [archive / stem.format(s, part) for part in parts]
            for s in ("train", "test")
        }


_BUILDERS = {builder.name: builder for builder in (Mnist, FashionMnist, Kmnist, Emnist)}


def read_idx(path: Any) -> np.ndarray:
    """Reads a gzipped IDX file of bytes: magic 0, 0, 8, rank; big-endian sizes; the values.

    Args:
      path: a `pathlib.Path` or `zipfile.Path`.

    Returns:
      `uint8`, of the rank and sizes that the file says.

    Raises:
      DataError: the file is damaged or something else.
    """
    try:
        with path.open("rb") as file:
            content = gzip.decompress(file.read())
        *magic, rank = struct.unpack_from(">4B", content)
        shape = struct.unpack_from(f">{rank}I", content, 4)
        if magic != [0, 0, 8]:
            raise ValueError(f"magic number {magic} instead of [0, 0, 8]")
        return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)
    except (ValueError, EOFError, OSError, struct.error, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not a whole gzipped IDX file ({error})") from error


def load_builder(name: str, data_dir: Path) -> Any:
    """Returns a tfds builder for `name` whose files are in `data_dir`, made now if need be.

    Raises:
      DataError: see `_explained`.
    """
    if not re.fullmatch(_NAME, name):
        raise UnknownDatasetError(_did_you_mean(name))
    with _translate_errors(name, data_dir), _quiet_if_not_tty():
        if not tfds.builder(name, data_dir=data_dir).data_path.exists():
            with _locked(data_dir), _no_leftovers(data_dir):
                builder = tfds.builder(name, data_dir=data_dir)
                if (
                    not builder.data_path.exists()
                ):  # Another process may just have made it.
                    _prepare(_tf_free_builder(builder, data_dir) or builder, data_dir)
        return tfds.builder(name, data_dir=data_dir)


@contextlib.contextmanager
def _locked(data_dir: Path) -> Iterator[None]:
    """Waits for other processes that prepare something there, and makes others wait."""
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / ".cnn-lock"
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists() and os.path.samestat(os.fstat(lock), path.stat()):
            break
        os.close(
            lock
        )  # It was removed, by the one that had it, while this process waited.
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(lock)


def _tf_free_builder(builder: Any, data_dir: Path) -> Any | None:
    cls = _BUILDERS.get(builder.name)
    if cls is None:
        return None
    config = builder.builder_config and builder.builder_config.name
    return cls(data_dir=data_dir, config=config, version=str(builder.version))


def _prepare(builder: Any, data_dir: Path) -> None:
    # Without network, the files can be put in this folder by hand; tfds checks them all the same.
    by_hand = data_dir / "downloads" / "manual" / builder.name
    config = tfds.download.DownloadConfig(
        manual_dir=_EMBEDDED if builder.name == "mnist" else by_hand,
        try_download_gcs=False,
    )
    downloader.MAX_RETRIES = (
        4  # tfds' ten take minutes to tell that there is no network.
    )
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    print(f"preparing {builder.name} in {builder.data_dir}, once", file=sys.stderr)
    builder.download_and_prepare(download_config=config, file_format="array_record")


@contextlib.contextmanager
def _quiet_if_not_tty() -> Iterator[None]:
    """Keeps tfds off stdout, and its bars off a stderr that is no terminal."""
    watched = sys.stderr.isatty()
    (tfds.enable_progress_bar if watched else tfds.disable_progress_bar)()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        yield


@contextlib.contextmanager
def _translate_errors(name: str, data_dir: Path) -> Iterator[None]:
    """Turns whatever tfds and the libraries under it raise for `name` into one line."""
    try:
        yield
    except DataError:
        raise
    except (tfds.core.DatasetNotFoundError, ValueError, AssertionError) as error:
        if isinstance(
            error, tfds.core.DatasetNotFoundError
        ) or "Parsing builder name" in str(error):
            raise UnknownDatasetError(_did_you_mean(name)) from error
        if "BuilderConfig" in str(error):
            configs = ", ".join(
                tfds.builder_cls(name.partition("/")[0]).builder_configs
            )
            expected = (
                f"expected one of {configs}" if configs else "it has no configurations"
            )
            raise UnknownDatasetError(f"data set {name!r}: {expected}") from error
        if known := re.search(r"cannot be loaded at version .*", str(error)):
            raise UnknownDatasetError(f"data set {name!r} {known[0]}") from error
        raise DataError(_explain_failure(error, name, data_dir)) from error
    except Exception as error:
        raise DataError(_explain_failure(error, name, data_dir)) from error


@contextlib.contextmanager
def _no_leftovers(data_dir: Path) -> Iterator[None]:
    """Removes what a failed preparation leaves behind: partial downloads and empty folders."""

    def folders() -> set[Path]:
        return {Path(top, d) for top, names, _ in os.walk(data_dir) for d in names}

    before = folders()
    try:
        yield
    except BaseException:
        for folder in sorted(folders() - before, reverse=True):  # Children first.
            if ".tmp." in folder.name or folder.name == ".config":
                shutil.rmtree(folder, ignore_errors=True)
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def _did_you_mean(name: str) -> str:
    known = tfds.list_builders(with_community_datasets=False)
    near = difflib.get_close_matches(name.partition("/")[0].partition(":")[0], known)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"tensorflow-datasets has no data set {name!r}{hint}"


def _explain_failure(error: BaseException, name: str, data_dir: Path) -> str:
    what = f"data set {name!r}"
    for cause in _causes(error):
        detail = str(cause).strip().partition("\n")[0]
        if isinstance(cause, ImportError) and "tensorflow" in f"{cause.name} {cause}":
            return (
                f"tensorflow-datasets needs TensorFlow to prepare {what}: "
                "pip install tensorflow-cpu, or copy the prepared set to "
                + str(data_dir)
            )
        if type(cause).__name__ == "NonMatchingChecksumError":
            remedy = (
                "install cnn again"
                if name == "mnist"
                else "remove that file, run again"
            )
            return f"{what}: {detail.rstrip(':')}; {remedy}"
        if isinstance(cause, requests.RequestException | tfds.download.DownloadError):
            url = getattr(getattr(cause, "request", None), "url", detail)
            return (
                f"{what}: no answer from {url}; check the network, or put the files by hand into "
                f"{data_dir / 'downloads' / 'manual' / name.partition('/')[0]}"
            )
        if isinstance(cause, OSError) and cause.errno == errno.ENOSPC:
            return f"no space left to prepare {what} in {data_dir}; free some or give --data-dir"
        if isinstance(cause, PermissionError):
            return f"no permission to prepare {what} in {data_dir} ({detail}); give --data-dir"
    detail = str(error).strip().partition("\n")[0]
    return (
        f"{what} could not be prepared in {data_dir}: {type(error).__name__}: {detail}"
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def decode_split(
    builder: Any, split: str
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Reads a prepared split into the three fields of a `Dataset`.

    Raises:
      UnknownSplitError: the set has no such split.
      DataError: it holds no labelled pictures, or its files are damaged.
    """
    image_key, label_key = _supervised_keys(builder)
    count = _count(builder, split)
    images, labels = np.empty((count, *_SIZE, 1), np.uint8), np.empty(count, np.int32)
    skip = {image_key: tfds.decode.SkipDecoding()}
    progress = tqdm(
        total=count, desc=f"decoding {split}", unit=" images", leave=False, disable=None
    )
    try:
        for i, record in enumerate(_records(builder, split)):
            example = builder.info.features.deserialize_example_np(
                record, decoders=skip
            )
            images[i, ..., 0] = _fit(example[image_key])
            labels[i] = example[label_key]
            progress.update()
        if i + 1 != count:
            raise ValueError(f"{i + 1} examples instead of {count}")
    except (
        Exception
    ) as error:  # Damage shows as whatever the format's library happens to raise.
        reason = str(error).partition("\n")[0]
        remedy = "remove that folder to prepare it again"
        raise DataError(f"{builder.data_dir}: damaged ({reason}); {remedy}") from error
    finally:
        progress.close()
    return _fix_emnist(builder, images, labels)


def _supervised_keys(builder: Any) -> tuple[str, str]:
    keys, features = builder.info.supervised_keys, builder.info.features
    if (
        keys is None
        or not isinstance(features[keys[0]], tfds.features.Image)
        or not isinstance(features[keys[1]], tfds.features.ClassLabel)
    ):
        raise DataError(
            f"data set {builder.name!r} is not for image classification: {features}"
        )
    if features[keys[0]].np_dtype != np.uint8:
        raise DataError(f"data set {builder.name!r} has images that are not of 8 bits")
    return keys[0], keys[1]


def _count(builder: Any, split: str) -> int:
    try:
        count = int(builder.info.splits[split].num_examples)
        if count < 1:
            raise ValueError("an empty split")
    except (KeyError, ValueError, AssertionError) as error:
        known = ", ".join(builder.info.splits) or "none"
        raise UnknownSplitError(
            f"data set {builder.name!r} has no split {split!r}; it has: {known}"
        ) from error
    return count


def _records(builder: Any, split: str) -> Iterator[bytes]:
    """Yields the serialised examples of a split, whichever format tfds stored them in."""
    if builder.info.file_format is tfds.core.FileFormat.TFRECORD:
        for shard in builder.info.splits[split].file_instructions:
            yield from itertools.islice(
                _tfrecords(shard.filename), shard.skip, shard.skip + shard.take
            )
        return
    raw = tfds.decode.DeserializeMethod.RAW_BYTES
    source = builder.as_data_source(split, deserialize_method=raw)
    for start in range(0, len(source), 1024):
        yield from source.__getitems__(range(start, min(start + 1024, len(source))))


def _tfrecords(path: str) -> Iterator[bytes]:
    """Reads a TFRecord file, whose own library is TensorFlow.

    A record is its length (8 bytes, little-endian), a checksum of that (4), itself, a checksum (4):
    https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
    """
    with open(path, "rb") as file:
        while header := file.read(12):
            (length,) = struct.unpack_from("<Q", header)
            yield file.read(length)
            file.seek(4, os.SEEK_CUR)


def _fit(encoded: Any) -> np.ndarray:
    """Makes an encoded picture grey and 28×28, on black where its shape is no square."""
    image = Image.open(io.BytesIO(encoded)).convert("L")
    if image.size != _SIZE:
        image = ImageOps.pad(image, _SIZE, Image.Resampling.LANCZOS)
    return np.asarray(image)


def _fix_emnist(
    builder: Any, images: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Names the classes, and turns EMNIST's pictures, which lie on their side, upright."""
    names = tuple(builder.info.features[_supervised_keys(builder)[1]].names)
    if builder.name == "emnist":
        config = builder.builder_config.name
        # `letters` counts from 1, and tfds gives it eleven classes that never occur.
        labels = labels - 1 if config == "letters" else labels
        names, images = tuple(_EMNIST_CHARACTERS[config]), images.swapaxes(1, 2).copy()
    if labels.size and not 0 <= labels.min() <= labels.max() < len(names):
        raise DataError(f"data set {builder.name!r} has examples without a label")
    return images, labels, names
