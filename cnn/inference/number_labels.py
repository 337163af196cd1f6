"""Finds the true numbers of input files, from a CSV or from the names of the files."""

import functools
import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from cnn.image_files.label_table import FindLabel, find_labels_in_table
from cnn.image_files.labels import NAMES, NO_LABELS
from cnn.image_files.listing import InputFiles, PathError, describe_name


def find_number_labels(
    files: InputFiles, labels: Path | None, class_names: Sequence[str]
) -> FindLabel | None:
    """Finds the true numbers of files.

    The label of `scan_0427.png` is 0427, as is that of `0427/scan.png`. Names count
    only if they are asked for, since most numbers in names are running numbers.

    Args:
      files: the input files.
      labels: a CSV of `path,label`; or `names`; or `none` or None for no labels.
      class_names: names of the characters.

    Returns:
      A function from `InputFile.name` to the label, empty for a file without one, or
      None without labels.

    Raises:
      PathError: the CSV cannot be read, has an invalid row or names no input file. Or
        no name has a label.
    """
    if labels is None or str(labels) == NO_LABELS:
        return None
    if str(labels) != NAMES:
        return find_labels_in_table(files, labels, class_names, are_numbers=True)
    characters = frozenset("".join(class_names))
    find_label = functools.partial(_number_in_name, characters=characters)
    example = next((file.name for file in files if find_label(file.name)), None)
    if example is None:
        raise PathError(
            f"--labels {labels}: no name has a number at its end, like scan_0427.png"
        )
    print(f"labels are in the names, as of {describe_name(example)}", file=sys.stderr)
    return find_label


def _number_in_name(name: str, *_part: object, characters: Collection[str]) -> str:
    """Returns the number after the last underscore, or the name of the folder.

    Args:
      name: name of the file, relative to the input.
      characters: those that a number consists of.

    Example:
      >>> _number_in_name("a/scan_0427.png", characters="0123456789")
      '0427'
      >>> _number_in_name("12/scan.png", characters="0123456789")
      '12'
    """
    folders, _, file = name.rpartition("/")
    stem = os.path.splitext(file)[0]
    _, underscore, suffix = stem.rpartition("_")
    for text in (suffix if underscore else "", folders.rpartition("/")[2]):
        if text and set(text) <= set(characters):
            return text
    return ""
