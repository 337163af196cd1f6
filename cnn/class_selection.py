"""The classes that can occur, as `--classes` names them."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from cnn.errors import UsageError

# A range of characters, or else one character.
_RANGE = "([^-])-([^-])"
_PART = re.compile(f"{_RANGE}|.", re.DOTALL)
# Among a single class, every confidence would be 1.
_MIN_CLASSES = 2
# Classes of a model that a message names.
_MAX_LISTED = 20


def select_classes(text: str, class_names: Sequence[str]) -> list[int]:
    """Returns the labels of the classes that a text names, in ascending order.

    Without a comma, the text consists of names of one character and ranges of them,
    as `0-9A-F`. A `-` is a name itself if it is first, last, or beside another `-` or a
    range. With commas, the text is a list of names and ranges, as `0-9,ten`. A range
    stands for the classes of one character from its first to its last one, by code
    point. A name that looks like a range is that class.

    Args:
      text: the names.
      class_names: the classes of the model.

    Raises:
      UsageError: a name or a range is of no class, or there are fewer than two classes.

    Example:
      >>> select_classes("7-90", "0123456789")
      [0, 7, 8, 9]
      >>> select_classes("ten, 0-8", ["0", "1", "ten"])
      [0, 1, 2]
    """
    parts = [match[0] for match in _PART.finditer(text)]
    if "," in text:
        parts = [part.strip() for part in text.split(",")]
    selected = {label for part in parts for label in _labels_of(part, class_names)}
    if len(selected) < _MIN_CLASSES:
        raise UsageError(
            f"--classes: expected at least {_MIN_CLASSES} classes, got "
            f"{text or 'nothing'}; {_describe_model(class_names)}"
        )
    return sorted(selected)


def _labels_of(part: str, class_names: Sequence[str]) -> list[int]:
    """Returns the labels of a name or a range. There is one at least."""
    if part in class_names:
        return [class_names.index(part)]
    match = re.fullmatch(_RANGE, part, re.DOTALL)
    if match is None:
        raise _unknown(f"{part or 'an empty name'} is no class", class_names)
    first, last = match.groups()
    if last < first:
        raise UsageError(f"--classes: expected {last}-{first}, got {part}")
    labels = [
        label
        for label, name in enumerate(class_names)
        if len(name) == 1 and first <= name <= last
    ]
    if not labels:
        raise _unknown(f"no class is in the range {part}", class_names)
    return labels


def _unknown(problem: str, class_names: Sequence[str]) -> UsageError:
    hint = ""
    if any(len(name) > 1 for name in class_names):
        hint = "; longer names go with commas"
    return UsageError(f"--classes: {problem}; {_describe_model(class_names)}{hint}")


def _describe_model(class_names: Sequence[str]) -> str:
    listed = ", ".join(class_names[:_MAX_LISTED])
    num_others = len(class_names) - _MAX_LISTED
    others = f" and {num_others:,} more" if num_others > 0 else ""
    return f"the model has {listed}{others}"


def keep_outputs(
    params: Mapping[str, Mapping[str, np.ndarray]], labels: Sequence[int]
) -> dict[str, Mapping[str, np.ndarray]]:
    """Removes the outputs of a network for all other labels.

    The softmax of the others is then the probability of each among them.

    Args:
      params: of `cnn.model.CNN`.
      labels: those to keep.

    Returns:
      New parameters. All layers but the last are those of `params`.
    """
    last_layer = params["dense_1"].items()
    kept = {name: np.asarray(array)[..., labels] for name, array in last_layer}
    return dict(params) | {"dense_1": kept}
