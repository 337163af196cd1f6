"""Saves and restores checkpoints of a training run with Orbax.

Each epoch has a numbered folder with two items: `state` (arrays) and `metadata` (JSON).
Orbax writes a folder under a temporary name and renames it when it is complete.
"""

import contextlib
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp

from cnn.errors import Error, is_from_surroundings
from cnn.orbax_setup import (
    manager_options,
    quiet_orbax,
    this_process_only,
    write_without_locks,
)

# A nested dict of arrays: the state of a training run.
State = dict[str, Any]

# The items of a checkpoint, and the keys in its `metadata` item.
_STATE_ITEM = "state"
_METADATA_ITEM = "metadata"
_METADATA_KEY = "about"
_CHECKSUMS_KEY = "checksums"

_REMEDY = (
    "move that folder away to use the checkpoint before it, or begin anew with "
    "bin/train --restart"
)


class CheckpointError(Error):
    """A checkpoint that is missing, damaged, unreadable, or of another network."""


@contextlib.contextmanager
def open_manager(folder: Path) -> Iterator[ocp.CheckpointManager]:
    """Opens the checkpoints of a run until the end of the `with` block.

    The manager keeps the last three checkpoints and the one with the highest validation
    accuracy. On exit, also by an exception, it waits for a save in progress.

    Args:
      folder: created if it does not exist.

    Raises:
      CheckpointError: the folder cannot be written.
    """
    with quiet_orbax():
        with _translate_write_errors(folder):
            write_without_locks()
            folder.mkdir(parents=True, exist_ok=True)
            manager = ocp.CheckpointManager(
                folder.absolute(), options=manager_options()
            )
        try:
            yield manager
        finally:
            with _translate_write_errors(folder):
                manager.close()


def save(
    manager: ocp.CheckpointManager,
    epoch: int,
    state: State,
    metadata: dict[str, Any],
    accuracy: float,
) -> None:
    """Starts to save a checkpoint, and returns while Orbax writes it.

    Args:
      manager: from `open_manager`.
      epoch: the number of the checkpoint, at least 1.
      state: a nested dict of arrays. It is copied first.
      metadata: the description of the model, written as JSON.
      accuracy: on the validation split, in [0, 1].

    Raises:
      CheckpointError: the checkpoint cannot be written.
    """
    # Training donates the arrays' memory to the next step while Orbax still writes.
    state = jax.tree.map(np.array, state)
    document = {_METADATA_KEY: metadata, _CHECKSUMS_KEY: _compute_checksums(state)}
    items = {
        _STATE_ITEM: ocp.args.StandardSave(state),
        _METADATA_ITEM: ocp.args.JsonSave(document),
    }
    with _translate_write_errors(manager.directory):
        manager.save(
            epoch, args=ocp.args.Composite(**items), metrics={"accuracy": accuracy}
        )


def latest_epoch(folder: Path) -> int | None:
    """Returns the number of the newest complete checkpoint in a folder, or None."""
    if not folder.is_dir():
        return None
    epochs = ocp.utils.checkpoint_steps(folder.absolute())
    return max(epochs, default=None)


def restore(
    folder: Path, epoch: int, target: State | None = None
) -> tuple[State, dict[str, Any]]:
    """Restores a checkpoint, and verifies the checksum of each array.

    Args:
      folder: the folder with the numbered checkpoints.
      epoch: the number of the checkpoint.
      target: a nested dict of arrays with the structure, shapes and shardings of the
        result. Without it, the structure is that of the checkpoint and the arrays are
        NumPy's.

    Returns:
      The state and the metadata, as given to `save`.

    Raises:
      CheckpointError: the path, and the leaf that is damaged or differs from `target`,
        or why the checkpoint cannot be read here.
    """
    path = folder.absolute() / str(epoch)
    if not path.is_dir():
        raise CheckpointError(f"{path}: no checkpoint there")
    try:
        with quiet_orbax():
            state = _load_state(path, target)
            document = _load_document(path)
    except (CheckpointError, MemoryError):
        raise
    # Orbax and TensorStore have no common error type for damaged files.
    except Exception as error:
        raise CheckpointError(_describe_failure(path, error)) from error
    _verify_checksums(path, state, document[_CHECKSUMS_KEY])
    return state, document[_METADATA_KEY]


def _load_state(path: Path, target: State | None) -> State:
    options = this_process_only()
    with ocp.StandardCheckpointer(multiprocessing_options=options) as checkpointer:
        description = checkpointer.metadata(path / _STATE_ITEM).item_metadata
        if description is None:
            raise ValueError("the list of its leaves cannot be read")
        saved = description.tree
        if target is None:
            target = jax.tree.map(_empty_array, saved)
        _check_structure(path, saved, target)
        return checkpointer.restore(path / _STATE_ITEM, target)


def _empty_array(leaf: Any) -> np.ndarray:
    return np.empty(leaf.shape, leaf.dtype)


def _load_document(path: Path) -> dict[str, dict[str, Any]]:
    handler = ocp.JsonCheckpointHandler()
    options = this_process_only()
    with ocp.Checkpointer(handler, multiprocessing_options=options) as checkpointer:
        document = checkpointer.restore(path / _METADATA_ITEM)
    if not isinstance(document, dict):
        document = {}
    if not isinstance(document.get(_CHECKSUMS_KEY), dict):
        raise ValueError("the list of its checksums cannot be read")
    if not isinstance(document.get(_METADATA_KEY), dict):
        raise ValueError("its description cannot be read")
    return document


def _check_structure(path: Path, saved: State, target: State) -> None:
    found = _list_shapes(saved)
    expected = _list_shapes(target)
    for name in sorted(found.keys() | expected.keys()):
        found_shape = found.get(name, "nothing")
        expected_shape = expected.get(name, "nothing")
        if found_shape != expected_shape:
            raise CheckpointError(
                f"{path}: foreign checkpoint, leaf {name}: "
                f"expected {expected_shape}, found {found_shape}"
            )


def _list_shapes(state: State) -> dict[str, tuple[int, ...]]:
    return {name: tuple(leaf.shape) for name, leaf in _list_leaves(state)}


def _verify_checksums(path: Path, state: State, checksums: dict[str, int]) -> None:
    for name, checksum in _compute_checksums(state).items():
        if checksum != checksums.get(name):
            raise CheckpointError(
                f"{path}: damaged checkpoint, leaf {name} has changed; {_REMEDY}"
            )


def _compute_checksums(state: State) -> dict[str, int]:
    """Computes a CRC-32 per array: Orbax restores a changed value without an error."""
    return {
        name: zlib.crc32(np.asarray(leaf).tobytes())
        for name, leaf in _list_leaves(state)
    }


def _list_leaves(tree: State) -> list[tuple[str, Any]]:
    """Lists the leaves of a tree with their paths, such as `params/dense/kernel`."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return [
        (jax.tree_util.keystr(path, simple=True, separator="/"), leaf)
        for path, leaf in leaves
    ]


def _describe_failure(path: Path, error: Exception) -> str:
    message = str(error)
    first_line, _, _ = message.partition("\n")
    sentence, _, _ = first_line.partition("See full TensorStore")
    reason = sentence.strip(" .") or type(error).__name__
    if is_from_surroundings(error):
        return f"{path}: the checkpoint cannot be read now ({reason}); run again later"
    leaf = re.search(r"(?:'path': '|reading \")([\w.]+)", message)
    where = ""
    if leaf:
        name = leaf[1].replace(".", "/")
        where = f", leaf {name}"
    return f"{path}: damaged checkpoint{where} ({reason}); {_REMEDY}"


@contextlib.contextmanager
def _translate_write_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    # Orbax and TensorStore have no common error type for a full disk.
    except Exception as error:
        message = str(error)
        reason = message.partition("\n")[0]
        if "no space left" in message.lower():
            reason = "no space left on the disk"
        raise CheckpointError(
            f"{folder}: the checkpoint cannot be written there: {reason}"
        ) from error
