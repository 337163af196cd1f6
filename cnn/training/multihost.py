"""Connects the processes of a run on several hosts, and checks that they agree."""

import contextlib
import json
import logging
import os
import re
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import jax
import numpy as np
from jax.experimental import multihost_utils

from cnn import supervisor
from cnn.config import TrainConfig
from cnn.config_schema import flag_name
from cnn.data import Dataset
from cnn.errors import UsageError
from cnn.jax_environment import check_devices
from cnn.supervisor import ProcessError
from cnn.training.resume_checks import WorkdirError, changed_settings

# A network file system shows a new file to other hosts after a delay.
_VISIBLE_AFTER_SECONDS = 10.0
_POLL_SECONDS = 0.1

# What collectives and JAX's coordination service say if another process is gone.
_LOST_PEER_WORDS = re.compile("gloo|nccl|coordination|heartbeat|socket closed", re.I)


@contextlib.contextmanager
def connect(config: TrainConfig) -> Iterator[None]:
    """Starts JAX, and connects this process to the others until the end of the block.

    In the block, processes other than the
    first print nothing to stderr. If another process is lost, JAX may abort this one:
    `cnn.supervisor` runs it in a child process and explains that.

    Args:
      config: settings. All processes need the same.

    Raises:
      JaxError: JAX cannot start on the devices.
      UsageError: JAX finds no cluster, or the processes have different flags.
      ProcessError: the connection failed, or another process has ended.
    """
    if not config.is_distributed:
        check_devices()
        yield
        return
    _initialize(config)
    check_devices()
    supervisor.report_connected(jax.process_index())
    try:
        with _quiet_unless_first():
            _check_equal_device_counts()
            _check_equal_settings(config)
            yield
        # Waits for the others, the first of which writes the results.
        jax.distributed.shutdown()
    except (RuntimeError, ValueError) as error:
        if not _LOST_PEER_WORDS.search(str(error)):
            raise
        # A signal for all processes may have reached the other one first.
        time.sleep(supervisor.SIGNAL_GRACE_SECONDS)
        raise ProcessError(supervisor.lost_peer_message()) from error


def _initialize(config: TrainConfig) -> None:
    # Its handler of SIGTERM would replace that of `cnn.cli`.
    jax.config.update("jax_enable_preemption_service", False)
    # It warns of every variable that has to do with a proxy.
    logging.getLogger("jax._src.distributed").setLevel(logging.ERROR)
    try:
        jax.distributed.initialize(
            coordinator_address=config.coordinator,
            num_processes=config.num_processes,
            process_id=config.process_id,
            initialization_timeout=config.initialization_timeout,
            heartbeat_timeout_seconds=config.heartbeat_timeout,
        )
    except (ValueError, KeyError) as error:
        raise UsageError(
            f"--distributed: JAX finds no cluster here ({str(error).strip('.')}); "
            "give --coordinator HOST:PORT, --num-processes N and --process-id I"
        ) from error
    except RuntimeError as error:
        reason, _, _ = str(error).partition("\n")
        if "RPC server" in reason:
            raise ProcessError(supervisor.PORT_IN_USE_MESSAGE) from error
        raise ProcessError(
            f"cannot connect to the other processes ({reason}); --coordinator names a "
            "free port of the host of process 0"
        ) from error


@contextlib.contextmanager
def _quiet_unless_first() -> Iterator[None]:
    if jax.process_index() == 0:
        yield
        return
    with open(os.devnull, "w") as null, contextlib.redirect_stderr(null):
        yield


def _check_equal_device_counts() -> None:
    """Collective operations between hosts need as many devices on each."""
    counts = np.bincount([device.process_index for device in jax.devices()])
    fewest, most = counts.argmin(), counts.argmax()
    if counts[fewest] < counts[most]:
        raise ProcessError(
            f"process {fewest} has fewer devices ({counts[fewest]}) than process "
            f"{most} ({counts[most]}); all processes need equally many"
        )


def _check_equal_settings(config: TrainConfig) -> None:
    """Compares the settings with those of the first process.

    This first collective operation also lets the processes find each other. XLA gives
    that 30 seconds, so it comes before any work that may take longer on one of them.
    """
    first = json.loads(_broadcast_text(config.as_json()))
    for name in changed_settings(config, first):
        raise UsageError(
            f"{flag_name(name)}: {getattr(config, name)} here, {first.get(name)} in "
            "process 0; give all processes the same flags"
        )
    count = jax.process_count()
    if config.num_processes not in (None, count):
        raise UsageError(
            f"--num-processes: {config.num_processes} here, {count} in process 0; give "
            "all processes the same flags"
        )


def _broadcast_text(text: str) -> str:
    """Returns the text of the first process."""
    encoded = text.encode()
    size = broadcast(len(encoded))
    padded = np.frombuffer(encoded[:size].ljust(size), np.uint8)
    values = multihost_utils.broadcast_one_to_all(padded)
    return np.asarray(values, np.uint8).tobytes().decode()


def broadcast(value: int) -> int:
    """Returns the value that the first process passes."""
    return int(multihost_utils.broadcast_one_to_all(np.int32(value)))


def check_equal_data(dataset: Dataset) -> None:
    """Checks that all processes have loaded the same images and labels.

    Raises:
      ProcessError: a process has others. All processes raise it.
    """
    if jax.process_count() == 1:
        return
    arrays = (dataset.images, dataset.labels)
    checksum = zlib.crc32(b"".join(array.tobytes() for array in arrays))
    checksums = multihost_utils.process_allgather(np.uint32(checksum))
    is_other = checksums != checksums[0]
    if is_other.any():
        raise ProcessError(
            f"process {_list_indices(is_other)} has loaded other training images than "
            "process 0; all processes need the same data set in --data-dir"
        )


def check_shared_folder(folder: Path) -> None:
    """Checks that all processes see the files that the first one writes in a folder.

    Raises:
      WorkdirError: a process does not see them. All processes raise it.
    """
    if jax.process_count() == 1:
        return
    token = broadcast(int.from_bytes(os.urandom(3)))
    marker = folder / ".shared"
    is_first = jax.process_index() == 0
    try:
        if is_first:
            marker.write_text(str(token))
        multihost_utils.sync_global_devices("marker")
        is_seen = _wait_for_text(marker, str(token))
        is_blind = ~multihost_utils.process_allgather(np.bool_(is_seen))
    finally:
        if is_first:
            marker.unlink(missing_ok=True)
    if is_blind.any():
        raise WorkdirError(
            f"{folder}: process {_list_indices(is_blind)} does not see the files of "
            "process 0 there; --workdir must be a folder that all hosts share"
        )


def _list_indices(mask: np.ndarray) -> str:
    return ", ".join(map(str, np.flatnonzero(mask)))


def _wait_for_text(path: Path, text: str) -> bool:
    """Waits until a file has this content. Returns False if that takes too long."""
    deadline = time.monotonic() + _VISIBLE_AFTER_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if path.read_text() == text:
                return True
        time.sleep(_POLL_SECONDS)
    return False
