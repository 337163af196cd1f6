"""Checkpoints of a training run, by Orbax: one numbered folder an epoch, whole or not there."""

import contextlib
import functools
import logging
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp

from cnn.errors import Error

_STATE, _METADATA = "state", "metadata"


class CheckpointError(Error):
    """A checkpoint that is missing, foreign or damaged."""


@contextlib.contextmanager
def open_manager(folder: Path) -> Iterator[ocp.CheckpointManager]:
    """Opens the checkpoints of a run, for as long as the `with` lasts.

    The last three are kept, and the one of the highest validation accuracy.

    Args:
      folder: made if it is not there.
    """
    policies = ocp.checkpoint_managers
    keep = [
        policies.LatestN(3),
        policies.BestN(get_metric_fn=lambda m: m["accuracy"], n=1),
    ]
    options = ocp.CheckpointManagerOptions(
        preservation_policy=policies.AnyPreservationPolicy(keep),
        best_fn=lambda metrics: metrics[
            "accuracy"
        ],  # Without it, the metrics are not written.
        cleanup_tmp_directories=True,
    )
    with _silenced():
        with _writing(folder):
            opened = ocp.CheckpointManager(folder.absolute(), options=options)
        try:
            yield opened
        finally:  # It waits for a save in progress, also when an exception ends the run.
            with _writing(folder):
                opened.close()


@contextlib.contextmanager
def _writing(folder: Any) -> Iterator[None]:
    try:
        yield
    except (
        Exception
    ) as error:  # A full disk shows as whatever Orbax and TensorStore happen to raise.
        full = "no space left" in str(error).lower() or "RESOURCE_EXHAUSTED" in str(
            error
        )
        reason = "no space left on the disk" if full else str(error).partition("\n")[0]
        raise CheckpointError(
            f"{folder}: the checkpoint cannot be written there: {reason}"
        ) from error


def save(
    opened: ocp.CheckpointManager, epoch: int, state: dict, about: dict, accuracy: float
) -> None:
    """Starts to write a checkpoint in the background.

    Args:
      opened: from `manager`.
      epoch: its number.
      state: a nested dict of arrays.
      about: what the model is for, as JSON.
      accuracy: on validation, in [0, 1].
    """
    state = jax.tree.map(
        np.array, state
    )  # A copy, since training goes on and uses the memory again.
    metadata = {"about": about, "checksums": _checksums(state)}
    items = {
        _STATE: ocp.args.StandardSave(state),
        _METADATA: ocp.args.JsonSave(metadata),
    }
    with _writing(opened.directory):
        opened.save(
            epoch, args=ocp.args.Composite(**items), metrics={"accuracy": accuracy}
        )


def latest_epoch(folder: Path) -> int | None:
    """Returns the number of the newest whole checkpoint in a folder, or None."""
    if not folder.is_dir():
        return None
    steps = ocp.utils.checkpoint_steps(folder.absolute())
    return max(steps, default=None)


def restore(folder: Path, epoch: int, like: dict | None = None) -> tuple[dict, dict]:
    """Reads a checkpoint back.

    Args:
      folder: where the numbered checkpoints are.
      epoch: which.
      like: a nested dict of arrays, whose structure, shapes and shardings to take; without it, the
        leaves are NumPy's, and the checkpoint's own structure is taken.

    Returns:
      The state, and what `save` was told it is about.

    Raises:
      CheckpointError: it names the path, and the leaf that is wrong.
    """
    path = folder.absolute() / str(epoch)
    if not path.is_dir():
        raise CheckpointError(f"{path}: no checkpoint there")
    try:
        with _silenced():
            state, metadata = _read(path, like)
    except CheckpointError:
        raise
    except (
        Exception
    ) as error:  # Damage shows as whatever Orbax and TensorStore happen to raise.
        raise CheckpointError(_explanation(path, str(error))) from error
    _check_values(path, state, metadata["checksums"])
    return state, metadata["about"]


def _read(path: Path, like: dict | None) -> tuple[dict, dict]:
    with ocp.StandardCheckpointer() as arrays:
        description = arrays.metadata(path / _STATE).item_metadata
        if description is None:
            raise ValueError("the list of its leaves cannot be read")
        saved = description.tree
        if like is None:
            like = jax.tree.map(lambda leaf: np.empty(leaf.shape, leaf.dtype), saved)
        _check_structure(path, saved, like)
        state = arrays.restore(path / _STATE, like)
    with ocp.Checkpointer(ocp.JsonCheckpointHandler()) as documents:
        metadata = documents.restore(path / _METADATA)
    if not isinstance(metadata, dict) or not isinstance(
        metadata.get("checksums"), dict
    ):
        raise ValueError("the list of its checksums cannot be read")
    if not isinstance(metadata.get("about"), dict):
        raise ValueError("its description cannot be read")
    return state, metadata


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    """Keeps Orbax and TensorStore from printing what we say in one line."""
    _silence_stragglers()
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


@functools.cache
def _silence_stragglers() -> None:
    """Hides the complaints of what a failure left unfinished, which may end long after it."""
    show = sys.unraisablehook

    def hook(unraisable: Any) -> None:
        about = f"{unraisable.object!r} {unraisable.exc_value}"
        if "_read_array" not in about and "Event loop is closed" not in about:
            show(unraisable)

    sys.unraisablehook = hook
    logging.getLogger("asyncio").addFilter(
        lambda record: "never retrieved" not in record.getMessage()
    )


def _explanation(path: Path, failure: str) -> str:
    leaf = re.search(r"(?:'path': '|reading \")([\w.]+)", failure)
    where = f", leaf {leaf[1].replace('.', '/')}" if leaf else ""
    reason = failure.partition("\n")[0].partition("See full TensorStore")[0].strip(" .")
    return f"{path}: damaged checkpoint{where} ({reason}); {_REMEDY}"


_REMEDY = "remove that folder to go on from the one before, or give --restart"


def _check_structure(path: Path, saved: Any, like: Any) -> None:
    found = {name: tuple(leaf.shape) for name, leaf in _leaves(saved)}
    expected = {name: tuple(leaf.shape) for name, leaf in _leaves(like)}
    for name in sorted(found.keys() | expected.keys()):
        if found.get(name) != expected.get(name):
            raise CheckpointError(
                f"{path}: foreign checkpoint, leaf {name}: expected "
                f"{expected.get(name, 'nothing')}, found {found.get(name, 'nothing')}"
            )


def _check_values(path: Path, state: Any, checksums: dict[str, int]) -> None:
    for name, checksum in _checksums(state).items():
        if checksum != checksums.get(name):
            raise CheckpointError(
                f"{path}: damaged checkpoint, leaf {name} has changed; {_REMEDY}"
            )


def _checksums(state: Any) -> dict[str, int]:
    return {
        name: zlib.crc32(np.asarray(leaf).tobytes()) for name, leaf in _leaves(state)
    }


def _leaves(tree: Any) -> list[tuple[str, Any]]:
    leaves = jax.tree_util.tree_flatten_with_path(tree)[0]
    return [
        (jax.tree_util.keystr(path, simple=True, separator="/"), leaf)
        for path, leaf in leaves
    ]
