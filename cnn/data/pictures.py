"""A user's labeled pictures in memory, read as `bin/infer` reads them."""

import hashlib
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cnn.data.candidate_choice import most_plausible
from cnn.data.picture_labels import find_picture_labels
from cnn.data.types import DataError, Dataset
from cnn.errors import UsageError
from cnn.image_files.decode_pool import count_workers, open_pool
from cnn.image_files.listing import InputFile, InputFiles, describe_name, list_inputs
from cnn.image_files.natural_sort import natural_key
from cnn.image_files.page_count import expand_sources
from cnn.preprocessing.preprocessed_file import PreprocessedFile
from cnn.preprocessing.source import ReadOptions
from cnn.progress_bar import tqdm

# Pictures that are left out are listed one by one, up to this many.
_MAX_LISTED = 20


def check_folder(folder: Path | None) -> None:
    """Checks that there is a folder of pictures, if one is given.

    Raises:
      UsageError: there is none at its path.
    """
    if folder is not None and not folder.is_dir():
        raise UsageError(
            f"--images: {folder}: no such folder; expected one with a sub-folder of "
            "pictures for each class"
        )


class LeftOut(NamedTuple):
    """A picture that is not learned from.

    Attributes:
      name: path relative to the folder.
      reason: why, in a few words.
    """

    name: str
    reason: str


class Pictures(NamedTuple):
    """Labeled pictures.

    Attributes:
      names: path of each, relative to the folder.
      files: network inputs of each, at least one candidate.
      labels: `int32 (N,)`, in `[0, len(class_names))`.
      class_names: the name of each label, in natural order.
      preprocessing: a key of `cnn.preprocessing.pipeline.PREPROCESSING`.
    """

    names: tuple[str, ...]
    files: tuple[PreprocessedFile, ...]
    labels: np.ndarray
    class_names: tuple[str, ...]
    preprocessing: str

    def select(self, indices: Sequence[int] | np.ndarray) -> "Pictures":
        """Returns the pictures at `indices`."""
        return self._replace(
            names=tuple(self.names[i] for i in indices),
            files=tuple(self.files[i] for i in indices),
            labels=self.labels[indices],
        )

    def with_classes(self, class_names: Sequence[str]) -> "Pictures":
        """Returns the same pictures, labeled by their index in `class_names`."""
        new_labels = [class_names.index(name) for name in self.class_names]
        labels = np.array(new_labels, np.int32)[self.labels]
        return self._replace(labels=labels, class_names=tuple(class_names))

    def as_dataset(self, chosen: Sequence[int] | None = None) -> Dataset:
        """Returns one candidate of each picture, with its label.

        Args:
          chosen: index of the candidate of each. None stands for the most plausible.
        """
        if chosen is None:
            chosen = [most_plausible(file) for file in self.files]
        images = np.zeros((len(self.files), 28, 28, 1), np.uint8)
        for image, file, index in zip(images, self.files, chosen, strict=True):
            assert file.candidates is not None
            image[:] = np.rint(255 * file.candidates[index])
        return Dataset(images, self.labels, self.class_names, self.preprocessing)

    def digest(self) -> str:
        """Returns a checksum of the network inputs and the classes."""
        checksum = hashlib.sha256()
        for file, label in zip(self.files, self.labels.tolist(), strict=True):
            checksum.update(_to_bytes(file) + self.class_names[label].encode())
        return checksum.hexdigest()


def read_pictures(
    folder: Path,
    table: Path | None,
    preprocessing: str,
    exclude: Sequence[Path] = (),
) -> tuple[Pictures, list[LeftOut]]:
    """Reads the pictures of a folder, and lists on stderr those that are left out.

    Args:
      folder: its sub-folders are named for classes, or its files end in `_CLASS`.
      table: CSV of `path,label` instead.
      preprocessing: a key of `cnn.preprocessing.pipeline.PREPROCESSING`.
      exclude: files and folders that are no pictures.

    Returns:
      The pictures in natural order of their names, and what is left out: files without
      a class, unreadable and blank ones, and repetitions of another picture.

    Raises:
      DataError: no picture is left.
      PathError: the folder or the CSV cannot be used.
    """
    files = list_inputs(folder, True, [*exclude, table])
    labels = find_picture_labels(files, table)
    left_out = [
        LeftOut(name, "has no class; expected CLASS/NAME.png or NAME_CLASS.png")
        for name, label in labels.items()
        if not label
    ]
    labeled = InputFiles(files.top, (name for name in labels if labels[name]))
    named = list(_preprocess(labeled, preprocessing))
    readable = _leave_out_unreadable(named, left_out)
    distinct = _leave_out_repetitions(readable, labels, left_out)
    _list_left_out(folder, left_out)
    if not distinct:
        raise DataError(f"--images: {folder}: no picture that can be learned from")
    return _to_pictures(distinct, labels, preprocessing), left_out


_Named = tuple[str, PreprocessedFile]


def _preprocess(files: InputFiles, preprocessing: str) -> Iterator[_Named]:
    """Yields name and network inputs of each picture, or page of a file of several."""
    workers = count_workers(None, len(files), (file.path for file in files))
    with open_pool(workers) as pool:
        sources = expand_sources(files, pool)
        inputs: list[InputFile] = [file for file, _ in sources]
        results = pool.imap((s for _, s in sources), ReadOptions(preprocessing))
        progress = tqdm(
            results, "reading pictures", len(inputs), leave=False, disable=None
        )
        for file, result in zip(inputs, progress, strict=True):
            yield file.name, result


def _leave_out_unreadable(
    named: Sequence[_Named], left_out: list[LeftOut]
) -> list[_Named]:
    readable = []
    for name, file in named:
        if file.candidates is None:
            left_out.append(LeftOut(name, f"{file.status}: {file.detail}"))
        else:
            readable.append((name, file))
    return readable


def _leave_out_repetitions(
    named: Sequence[_Named], labels: dict[str, str], left_out: list[LeftOut]
) -> list[_Named]:
    """Keeps the first of equal pictures, and none that are in several classes.

    The same picture must not be learned from and tested on.
    """
    first: dict[bytes, int] = {}
    classes: dict[bytes, set[str]] = defaultdict(set)
    for index, (name, file) in enumerate(named):
        content = _to_bytes(file)
        first.setdefault(content, index)
        classes[content].add(labels[name])
    kept = []
    for index, (name, file) in enumerate(named):
        content = _to_bytes(file)
        if len(classes[content]) > 1:
            in_classes = ", ".join(sorted(classes[content]))
            reason = f"the same picture is in the classes {in_classes}"
            left_out.append(LeftOut(name, reason))
        elif first[content] != index:
            other = describe_name(named[first[content]][0])
            left_out.append(LeftOut(name, f"the same picture as {other}"))
        else:
            kept.append((name, file))
    return kept


def _to_bytes(file: PreprocessedFile) -> bytes:
    assert file.candidates is not None
    return file.candidates.tobytes()


def _to_pictures(
    named: Sequence[_Named], labels: dict[str, str], preprocessing: str
) -> Pictures:
    names = tuple(name for name, _ in named)
    class_names = sorted({labels[name] for name in names}, key=natural_key)
    index = {name: i for i, name in enumerate(class_names)}
    indices = np.array([index[labels[name]] for name in names], np.int32)
    files = tuple(file for _, file in named)
    return Pictures(names, files, indices, tuple(class_names), preprocessing)


def _list_left_out(folder: Path, left_out: Sequence[LeftOut]) -> None:
    for name, reason in left_out[:_MAX_LISTED]:
        path = folder / describe_name(name)
        print(f"warning: {path}: left out, {reason}", file=sys.stderr)
    if len(left_out) > _MAX_LISTED:
        more = len(left_out) - _MAX_LISTED
        print(
            f"warning: {folder}: {more:,} more left out; report.json lists all",
            file=sys.stderr,
        )
