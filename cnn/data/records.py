"""Decodes the shards of a prepared tfds set into arrays, without TensorFlow."""

import io
import itertools
import os
import struct
from collections.abc import Iterator

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image, ImageOps

from cnn.data.types import DataError, Dataset, UnknownSplitError
from cnn.errors import is_from_surroundings
from cnn.progress_bar import tqdm

_IMAGE_SIZE = (28, 28)
# Records that are read from an ArrayRecord file in one call.
_RECORDS_PER_READ = 1024

# Characters of EMNIST's labels, from the *-mapping.txt files of its archive (Cohen et
# al. 2017). The merged sets join letters whose two cases look alike.
_DIGITS = "0123456789"
_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MERGED = _DIGITS + _UPPER + "abdefghnqrt"
EMNIST_CHARACTERS = {
    "byclass": _DIGITS + _UPPER + _UPPER.lower(),
    "bymerge": _MERGED,
    "balanced": _MERGED,
    "letters": _UPPER,
    "digits": _DIGITS,
    "mnist": _DIGITS,
}


def decode_split(builder: tfds.core.DatasetBuilder, split: str) -> Dataset:
    """Decodes one split of a prepared set.

    Args:
      builder: tfds builder of a set whose files are prepared.
      split: as tfds writes it.

    Raises:
      UnknownSplitError: the set has no such split, or the split is empty.
      DataError: the set is not for image classification, or its files are damaged.
    """
    image_key, label_key = _find_supervised_keys(builder)
    count = _count_examples(builder, split)
    try:
        images, labels = _decode_examples(builder, split, image_key, label_key, count)
    except MemoryError:
        raise
    except Exception as error:  # Each format's library raises errors of its own.
        raise DataError(_describe_failure(builder.data_dir, error)) from error
    class_names = tuple(builder.info.features[label_key].names)
    dataset = Dataset(images, labels, class_names)
    if builder.name == "emnist":
        dataset = _fix_emnist(dataset, builder.builder_config.name)
    _check_labels(dataset, builder.name)
    return dataset


def _describe_failure(data_dir: str, error: Exception) -> str:
    reason = str(error).partition("\n")[0]
    if is_from_surroundings(error):
        return f"{data_dir}: cannot be read now ({reason}); run again later"
    return f"{data_dir}: damaged ({reason}); move that folder away to prepare it again"


def _find_supervised_keys(builder: tfds.core.DatasetBuilder) -> tuple[str, str]:
    """Returns the names of the image feature and of the label feature."""
    keys = builder.info.supervised_keys
    features = builder.info.features
    if (
        keys is None
        or not isinstance(features[keys[0]], tfds.features.Image)
        or not isinstance(features[keys[1]], tfds.features.ClassLabel)
    ):
        raise DataError(
            f"data set {builder.name!r} is not for image classification: {features}"
        )
    image_key, label_key = keys
    if features[image_key].np_dtype != np.uint8:
        raise DataError(f"data set {builder.name!r} has images that are not of 8 bits")
    return image_key, label_key


def _count_examples(builder: tfds.core.DatasetBuilder, split: str) -> int:
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


def _decode_examples(
    builder: tfds.core.DatasetBuilder,
    split: str,
    image_key: str,
    label_key: str,
    count: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns images `uint8 (count, 28, 28, 1)` and labels `int32 (count,)`."""
    images = np.empty((count, *_IMAGE_SIZE, 1), np.uint8)
    labels = np.empty(count, np.int32)
    features = builder.info.features
    # The image stays encoded: `_to_grayscale` decodes it.
    decoders = {image_key: tfds.decode.SkipDecoding()}
    num_decoded = 0
    with tqdm(
        total=count, desc=f"decoding {split}", unit=" images", leave=False, disable=None
    ) as progress:
        for record in _read_records(builder, split):
            example = features.deserialize_example_np(record, decoders=decoders)
            images[num_decoded, ..., 0] = _to_grayscale(example[image_key])
            labels[num_decoded] = example[label_key]
            num_decoded += 1
            progress.update()
    if num_decoded != count:
        raise ValueError(f"{num_decoded} examples instead of {count}")
    return images, labels


def _read_records(builder: tfds.core.DatasetBuilder, split: str) -> Iterator[bytes]:
    """Yields the serialized examples of a split, from ArrayRecord or TFRecord files."""
    if builder.info.file_format is tfds.core.FileFormat.TFRECORD:
        for shard in builder.info.splits[split].file_instructions:
            records = _read_tfrecords(shard.filename)
            yield from itertools.islice(records, shard.skip, shard.skip + shard.take)
        return
    raw = tfds.decode.DeserializeMethod.RAW_BYTES
    source = builder.as_data_source(split, deserialize_method=raw)
    for start in range(0, len(source), _RECORDS_PER_READ):
        stop = min(start + _RECORDS_PER_READ, len(source))
        yield from source.__getitems__(range(start, stop))


def _read_tfrecords(path: str) -> Iterator[bytes]:
    """Yields the records of a TFRecord file.

    A record is its length (8 bytes, little-endian), the CRC of the length (4 bytes),
    the data, the CRC of the data (4 bytes). The CRCs are not checked.
    https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
    """
    with open(path, "rb") as file:
        while header := file.read(12):
            (length,) = struct.unpack_from("<Q", header)
            yield file.read(length)
            file.seek(4, os.SEEK_CUR)


def _to_grayscale(encoded: bytes) -> np.ndarray:
    """Decodes an image to `uint8 (28, 28)`, padded with black to a square."""
    image = Image.open(io.BytesIO(encoded)).convert("L")
    if image.size != _IMAGE_SIZE:
        image = ImageOps.pad(image, _IMAGE_SIZE, Image.Resampling.LANCZOS)
    return np.asarray(image)


def _fix_emnist(dataset: Dataset, config: str) -> Dataset:
    """Names EMNIST's classes by their characters, and transposes its images upright."""
    labels = dataset.labels
    if config == "letters":
        # Its labels count from 1, and tfds adds eleven classes that never occur.
        labels = labels - 1
    images = dataset.images.swapaxes(1, 2).copy()
    return Dataset(images, labels, tuple(EMNIST_CHARACTERS[config]))


def _check_labels(dataset: Dataset, name: str) -> None:
    labels = dataset.labels
    num_classes = len(dataset.class_names)
    if labels.size and not 0 <= labels.min() <= labels.max() < num_classes:
        raise DataError(f"data set {name!r} has examples without a label")
