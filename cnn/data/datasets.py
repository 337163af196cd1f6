"""Loads image-classification sets by their tensorflow-datasets (tfds) name.

tfds prepares a set once, in its own folder and format, which every other tfds user can
read. The decoded arrays are cached beside the prepared files. A cached split loads in a
fraction of a second, without tfds.
"""

import contextlib
import re
import sys
from pathlib import Path

from cnn.data.cache import read_cache, write_cache
from cnn.data.data_folder import open_data_folder
from cnn.data.types import DATASET_NAME, Dataset, UnknownSplitError

__all__ = ["Dataset", "load", "load_train_and_test", "preprocessing_for"]

# Splits to train and to test on where there is no `test` split, in order of preference.
_SPLITS_WITHOUT_TEST = (("train", "validation"), ("train[:90%]", "train[90%:]"))

# Preprocessing, in the words of `cnn.preprocessing`, of the sets of characters that
# their makers placed in a known way.
_PREPROCESSING = {"mnist": "mnist", "emnist": "emnist"}


def load(
    name: str = "mnist", split: str = "train", data_dir: str | Path | None = None
) -> Dataset:
    """Loads one split of a tfds image-classification set, and prepares the set first.

    Args:
      name: as tfds writes it: `mnist`, `emnist/letters`, `fashion_mnist:3.0.1`.
      split: as tfds writes it: `train`, `test`, `train[:10%]`.
      data_dir: folder of tfds, by default as in `data_folder.open_data_folder`.

    Returns:
      The split. Images of other sizes or colors are converted to grayscale and scaled
      to fit 28×28.

    Raises:
      DataError: the set or split is unknown, cannot be prepared, or is damaged. The
        message is one line and names the remedy.

    Example:
      >>> test = load("mnist", "test")
      >>> test.images.shape, test.images.dtype, test.labels.dtype
      ((10000, 28, 28, 1), dtype('uint8'), dtype('int32'))
      >>> test.class_names[7]
      '7'
    """
    with open_data_folder(data_dir) as data_folder:
        return _load_from(name, split, data_folder)


def _load_from(name: str, split: str, data_dir: Path) -> Dataset:
    folder = _find_prepared_folder(name, data_dir)
    cached = read_cache(folder, split) if folder else None
    dataset = cached or _load_with_tfds(name, split, data_dir)
    return dataset._replace(preprocessing=preprocessing_for(name))


def _find_prepared_folder(name: str, data_dir: Path) -> Path | None:
    """Finds the only prepared version of a set, if there is exactly one.

    It does not import tfds, which takes half a second.
    """
    if not re.fullmatch(DATASET_NAME, name):
        return None
    path, _, version = name.partition(":")
    folder = data_dir / path
    pattern = version or "*.*.*"
    infos = list(folder.glob(f"{pattern}/dataset_info.json"))
    return infos[0].parent if len(infos) == 1 else None


def _load_with_tfds(name: str, split: str, data_dir: Path) -> Dataset:
    from cnn.data import prepare, records

    builder = prepare.load_builder(name, data_dir)
    # tfds knows the default configuration and version, so the cache may exist.
    folder = Path(builder.data_dir)
    cached = read_cache(folder, split)
    if cached:
        return cached
    dataset = records.decode_split(builder, split)
    write_cache(folder, split, dataset)
    return dataset


def load_train_and_test(
    name: str, data_dir: str | Path | None = None
) -> tuple[Dataset, Dataset]:
    """Loads the training split and the test split of a set.

    Without a `test` split, the `validation` split is the test set. Without that, it is
    the last tenth of `train`. A line on stderr says so.

    Raises:
      DataError: see `load`.
    """
    with open_data_folder(data_dir) as folder:
        return _load_train_and_test(name, folder)


def _load_train_and_test(name: str, folder: Path) -> tuple[Dataset, Dataset]:
    with contextlib.suppress(UnknownSplitError):
        return _load_from(name, "train", folder), _load_from(name, "test", folder)
    for train_split, test_split in _SPLITS_WITHOUT_TEST:
        with contextlib.suppress(UnknownSplitError):
            train_set = _load_from(name, train_split, folder)
            test_set = _load_from(name, test_split, folder)
            message = f"{name} has no test split: testing on {test_split}"
            print(message, file=sys.stderr)
            return train_set, test_set
    raise UnknownSplitError(f"data set {name!r} has no 'train' split to learn from")


def preprocessing_for(name: str) -> str:
    """Returns how a set places its characters, as `cnn.preprocessing` names it.

    Example:
      >>> preprocessing_for("emnist/letters"), preprocessing_for("cifar10")
      ('emnist', 'resize')
    """
    base = re.split("[/:]", name)[0].lower()
    return _PREPROCESSING.get(base, "resize")
