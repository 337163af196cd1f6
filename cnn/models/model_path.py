"""Finds the model that is meant: a path, the name of a shipped model, or neither."""

import os
from pathlib import Path

# The model of `bin/train --preset best`.
DIGITS = Path(__file__).with_name("digits.h5")

# Models that are part of the package, by the name that `--model` takes.
_SHIPPED = {"digits": DIGITS}
# What `bin/train` writes by default.
_TRAINED = Path("mnist_model.h5")


def find_model(path: str | Path | None) -> Path:
    """Finds the file or the workdir of a model. It may not exist.

    Args:
      path: of a model file or a workdir, or `digits` for the shipped model. A model of
        that name in the working directory goes first. None means `mnist_model.h5` of
        the working directory if there is one, else the shipped model.

    Example:
      >>> find_model("digits").name, find_model("runs/digits.h5").name
      ('digits.h5', 'digits.h5')
      >>> find_model("digits") == DIGITS, find_model("runs/digits.h5") == DIGITS
      (True, False)
    """
    if path is None:
        return _TRAINED if os.path.exists(_TRAINED) else DIGITS
    path = Path(path)
    return path if _is_model(path) else _SHIPPED.get(str(path), path)


def describe_default() -> str:
    """Says in words which model `find_model(None)` finds."""
    if find_model(None) == DIGITS:
        return "digits, shipped with cnn"
    return f"{_TRAINED} of the working directory"


def _is_model(path: Path) -> bool:
    """Tells whether a file or a workdir is there, and no folder of images."""
    return os.path.isfile(path) or os.path.isdir(path / "checkpoints")
