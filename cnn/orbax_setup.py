"""Sets Orbax up: one process that writes, no logging, no file locks."""

import contextlib
import logging
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import orbax.checkpoint as ocp
from orbax.checkpoint._src.serialization import tensorstore_utils

# The newest checkpoints that are kept, besides the best.
_NUM_LATEST = 3


def manager_options() -> ocp.CheckpointManagerOptions:
    """Keeps the latest three checkpoints, and the one of the highest accuracy."""
    policies = ocp.checkpoint_managers
    latest = policies.LatestN(_NUM_LATEST)
    best = policies.BestN(get_metric_fn=_get_accuracy, n=1)
    return ocp.CheckpointManagerOptions(
        preservation_policy=policies.AnyPreservationPolicy([latest, best]),
        best_fn=_get_accuracy,  # Orbax saves metrics only if it has a `best_fn`.
        cleanup_tmp_directories=True,
        create=False,  # Orbax does not create the folder of a part of the processes.
        multiprocessing_options=this_process_only(),
    )


def this_process_only() -> ocp.options.MultiprocessingOptions:
    """Keeps Orbax from waiting for the other processes of a run."""
    index = jax.process_index()
    return ocp.options.MultiprocessingOptions(
        primary_host=index, active_processes={index}
    )


def _get_accuracy(metrics: Mapping[str, float]) -> float:
    return metrics["accuracy"]


def write_without_locks() -> None:
    """Lets TensorStore write where the file system has no locks.

    Each checkpoint is written by one process, in a folder of its own. Orbax has no
    option for this setting.
    """
    context = tensorstore_utils._DEFAULT_OCDBT_TS_CONTEXT
    context["file_io_locking"] = {"mode": "non_atomic"}


@contextlib.contextmanager
def quiet_orbax() -> Iterator[None]:
    """Hides Orbax' log, and the reports on reads that a failure has left unfinished.

    The level of Orbax' logger is restored on exit. The filter of asyncio's logger and
    `sys.unraisablehook` are restored if there was no exception. After an exception they
    stay: Python reports an unfinished read when its coroutine is collected, which may
    be as late as the exit of the process. The `CheckpointError` has already told it.
    """
    orbax_logger = logging.getLogger("absl")
    asyncio_logger = logging.getLogger("asyncio")
    level = orbax_logger.level
    show_unraisable = sys.unraisablehook

    def is_reportable(record: logging.LogRecord) -> bool:
        return "never retrieved" not in record.getMessage()

    def show_if_reportable(unraisable: Any) -> None:
        report = f"{unraisable.object!r} {unraisable.exc_value}"
        if "_read_array" not in report and "Event loop is closed" not in report:
            show_unraisable(unraisable)

    orbax_logger.setLevel(logging.CRITICAL)
    asyncio_logger.addFilter(is_reportable)
    sys.unraisablehook = show_if_reportable
    try:
        yield
    finally:
        orbax_logger.setLevel(level)
    asyncio_logger.removeFilter(is_reportable)
    sys.unraisablehook = show_unraisable
