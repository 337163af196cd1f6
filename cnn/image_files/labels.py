"""Finds the true labels of input files, from a CSV or from the names of the files."""

import functools
import itertools
import operator
import os
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from cnn.image_files.label_table import FindLabel, find_labels_in_table
from cnn.image_files.listing import InputFiles, PathError, describe_name

# Values of `--labels` beside the path of a CSV.
NO_LABELS = "none"
NAMES = "names"
# Names from which to tell whether names have labels. A folder may have a million.
_NUM_JUDGED = 10_000
# Stands for all numbers that are no class.
_OTHER_NUMBER = "#"
_RUNNING_NUMBERS = (
    "numbers in the names are taken for running numbers; if they are labels, give "
    "--labels names"
)


def labels_path(labels: Path | None) -> Path | None:
    """Returns the CSV of labels, or None if `--labels` names none."""
    return None if str(labels) in (NO_LABELS, NAMES) else labels


def find_labels(
    files: InputFiles, labels: Path | None, class_names: Sequence[str]
) -> FindLabel | None:
    """Finds the true labels of files, and says on stderr where they come from.

    The label of `7/scan.png` is 7 if that is a class. That of `scan_7.png`, too, where
    most names have one and most of these are no running number. A letter is also the
    label of its other case, if that is no class: EMNIST has sets of merged cases.

    Args:
      files: the input files.
      labels: a CSV of `path,label`; or `none`; or `names` for the class in every
        name, also if it may be a running number; or None.
      class_names: the valid labels.

    Returns:
      A function from `InputFile.name` to the label, empty for a file without one. None
      if no file has a label.

    Raises:
      PathError: the CSV cannot be read, has an invalid row or names no input file. Or
        no name has a label, and `names` was asked for.
    """
    if str(labels) == NO_LABELS:
        return None
    spellings = spell_classes(class_names)
    table = labels_path(labels)
    find_label: FindLabel | None
    if table is not None:
        find_label = find_labels_in_table(files, table, frozenset(spellings))
    else:
        is_forced = labels is not None
        find_label = _find_labels_in_names(files, tuple(spellings), is_forced)
        if find_label is None and is_forced:
            raise PathError(
                f"--labels {labels}: no name of a folder or file has a class"
            )
    if find_label is None:
        return None
    return functools.partial(_find_class, find_label=find_label, spellings=spellings)


def spell_classes(class_names: Sequence[str]) -> dict[str, str]:
    """Returns the class of each text that names one, the names themselves first.

    Example:
      >>> spell_classes(["1", "A", "B", "b"])
      {'1': '1', 'A': 'A', 'B': 'B', 'b': 'b', 'a': 'A'}
    """
    spellings = {name: name for name in class_names}
    for name in class_names:
        if len(name) == 1:
            spellings.setdefault(name.swapcase(), name)
    return spellings


def _find_class(
    name: str,
    page: int = 1,
    region: str = "",
    /,
    *,
    find_label: FindLabel,
    spellings: dict[str, str],
) -> str:
    return spellings.get(find_label(name, page, region), "")


def _find_labels_in_names(
    files: InputFiles, class_names: Sequence[str], is_forced: bool
) -> FindLabel | None:
    folder = os.path.basename(os.path.abspath(files.top))
    classes = frozenset(class_names)
    get_label = functools.partial(_label_in_name, folder=folder, class_names=classes)
    by_folder = functools.partial(_label_of_folder, folder=folder, class_names=classes)
    example = _first_labeled(files, get_label)
    if example is None:
        return None
    first_names = (file.name for file in itertools.islice(files, _NUM_JUDGED))
    names = (name for name in first_names if not by_folder(name))
    if not is_forced and not _are_plausible(names, class_names):
        get_label = by_folder
        example = _first_labeled(files, by_folder)
        if example is not None and _has_numbered_folders(files, classes):
            example = None
    if example is None:
        _say(_RUNNING_NUMBERS)
        return None
    where = "folders" if get_label is by_folder else "folders and files"
    example = describe_name(example)
    _say(
        f"labels are in the names of {where}, as of {example}; --labels none: no labels"
    )
    return get_label


def _has_numbered_folders(files: InputFiles, class_names: Collection[str]) -> bool:
    """Tells whether there are folders 10, 11 and so on beside those of classes."""
    parents = (file.name.split("/")[-2:-1] for file in files)
    numbers = (parent[0] for parent in parents if parent and parent[0].isdecimal())
    return any(number not in class_names and len(number) == 2 for number in numbers)


def _first_labeled(files: InputFiles, get_label: FindLabel) -> str | None:
    return next((file.name for file in files if get_label(file.name)), None)


def _say(message: str) -> None:
    print(message, file=sys.stderr)


def _label_in_name(
    name: str,
    *_part: object,
    folder: str,
    class_names: Collection[str],
) -> str:
    """Returns the label in the name of the parent folder, or at the end of the name.

    Args:
      name: name of the file, relative to the input.
      folder: name of the input folder.
      class_names: the valid labels.

    Example:
      >>> classes = frozenset("0123456789")
      >>> _label_in_name("7/a_3.png", folder="scans", class_names=classes)
      '7'
      >>> _label_in_name("a_3.png", folder="scans", class_names=classes)
      '3'
    """
    suffix = _split_name(name)[1]
    of_folder = _label_of_folder(name, folder=folder, class_names=class_names)
    return of_folder or (suffix if suffix in class_names else "")


def _label_of_folder(
    name: str,
    *_part: object,
    folder: str,
    class_names: Collection[str],
) -> str:
    parents, slash, _ = name.rpartition("/")
    parent = parents.rpartition("/")[2] if slash else folder
    return parent if parent in class_names else ""


def _split_name(name: str) -> tuple[str, str]:
    """Splits the path of a file before its last underscore, which is needed.

    Example:
      >>> _split_name("a/scan_10.png"), _split_name("a/scan.png")
      (('a/scan', '10'), ('', ''))
    """
    prefix, underscore, suffix = os.path.splitext(name)[0].rpartition("_")
    return (prefix, suffix) if underscore and "/" not in suffix else ("", "")


def _are_plausible(names: Iterable[str], class_names: Sequence[str]) -> bool:
    """Tells whether the ends of most names are classes, and no running numbers.

    Where all names differ in their end only, no class can be there twice, and so the
    ends are taken for running numbers, too.

    Args:
      names: names of files in natural order, in which those that differ in their end
        only are neighbours.
      class_names: the valid labels.
    """
    rank = {name: index for index, name in enumerate(class_names)}
    num_names = num_labeled = num_running = num_prefixes = 0
    for _, group in itertools.groupby(map(_split_name, names), operator.itemgetter(0)):
        ends = Counter(_simplify_end(end, rank) for _, end in group)
        labels = [rank[end] for end in ends if end in rank]
        count = sum(ends[end] for end in ends if end in rank)
        num_names += ends.total()
        num_labeled += count
        num_prefixes += bool(labels)
        if labels and (_OTHER_NUMBER in ends or _is_running(labels)):
            num_running += count
    return 2 * num_running < num_labeled > num_names / 2 and num_prefixes > 1


def _simplify_end(end: str, rank: dict[str, int]) -> str:
    """Returns an end that is a class, else one text for all numbers or all others."""
    if end in rank:
        return end
    return _OTHER_NUMBER if end.isdecimal() else ""


def _is_running(labels: Collection[int]) -> bool:
    """Tells whether the indices of the classes after one prefix may be counted up."""
    is_gapless = max(labels) - min(labels) + 1 == len(labels)
    return is_gapless and (len(labels) > 1 or min(labels) <= 1)
