"""Checks before a run starts: the model path, and the settings of an earlier run."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnn.atomic_write import find_write_problem
from cnn.config import TrainConfig
from cnn.config_schema import flag_name
from cnn.errors import Error

# Settings that do not affect the parameters: a resumed run may have others. The
# content of --images is compared, not its path.
_CHANGEABLE = {
    "preset",
    "images",
    "labels",
    "workdir",
    "model",
    "data_dir",
    "restart",
    "distributed",
    "coordinator",
    "num_processes",
    "process_id",
    "initialization_timeout",
    "heartbeat_timeout",
}


class WorkdirError(Error):
    """A workdir or model path that this run cannot use."""


def changed_settings(config: TrainConfig, saved: Mapping[str, object]) -> list[str]:
    """Returns the names of settings that make a run another than a saved one.

    Args:
      config: settings of the run.
      saved: settings of the other run, parsed from `TrainConfig.as_json`.
    """
    settings = json.loads(config.as_json())
    return [
        name
        for name, value in settings.items()
        if name not in _CHANGEABLE and (name not in saved or saved[name] != value)
    ]


def check_model_path(model: Path) -> None:
    """Checks, before the training, that the model file can be written after it.

    Raises:
      WorkdirError: `model` is a folder, or its folder is missing or read-only.
    """
    problem = find_write_problem(model, "--model")
    if problem is not None:
        raise WorkdirError(problem)


def check_saved_settings(folder: Path, config: TrainConfig) -> None:
    """Checks that the run in a workdir, if there is one, has the settings of `config`.

    Args:
      folder: the workdir.
      config: settings of the new run.

    Raises:
      WorkdirError: the run has other settings, or no settings, or the workdir belongs
        to another program.
    """
    has_checkpoints = _has_checkpoints(folder / "checkpoints")
    path = folder / "config.json"
    is_optional = config.restart or not has_checkpoints
    if is_optional and not path.exists():
        return
    saved = _read_settings(path)
    if not is_optional:
        _compare_settings(folder, config, saved)


def check_same_pictures(
    folder: Path, metadata: Mapping[str, Any], saved: Mapping[str, Any]
) -> None:
    """Checks that a run continues with the pictures that it began with.

    Args:
      folder: the workdir.
      metadata: description of the model of this run.
      saved: that of a checkpoint.

    Raises:
      WorkdirError: the pictures have changed.
    """
    if metadata.get("images") != saved.get("images"):
        raise WorkdirError(
            f"{folder}: its run has learned from other pictures than --images holds "
            "now; give another --workdir, or --restart to begin anew"
        )


def _has_checkpoints(folder: Path) -> bool:
    if folder.exists() and not folder.is_dir():
        raise WorkdirError(f"{folder}: is a file; give another --workdir")
    return any(path.name.isdigit() for path in folder.glob("*"))


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        saved = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise WorkdirError(
            f"{path}: missing, so that the settings of this run are unknown; "
            "give another --workdir, or --restart"
        ) from error
    except OSError as error:
        raise WorkdirError(
            f"{path}: cannot be read ({error.strerror}); give another --workdir"
        ) from error
    except ValueError as error:
        raise _foreign_settings(path) from error
    # Every version has written this setting.
    if not isinstance(saved, dict) or "ema_decay" not in saved:
        raise _foreign_settings(path)
    return saved


def _foreign_settings(path: Path) -> WorkdirError:
    return WorkdirError(
        f"{path}: not the settings of a run of bin/train; give another --workdir, or "
        "move that file away"
    )


def _compare_settings(folder: Path, config: TrainConfig, saved: dict[str, Any]) -> None:
    for name in changed_settings(config, saved):
        raise WorkdirError(
            f"{folder}: its run has {flag_name(name)} {saved.get(name, 'unset')}, not "
            f"{getattr(config, name)}; give another --workdir, or --restart to begin "
            "anew"
        )
