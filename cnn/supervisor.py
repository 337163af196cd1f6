"""Runs a training in a child process, and explains its sudden end.

If another process of a distributed training is lost, or a limit leaves too little
memory, native code aborts with a stack trace, and no exception can be caught. JAX's
collectives also print to stdout. Therefore such a training runs in a child process
whose native output goes to a temporary file. This process waits, passes signals on, and
says in one line why the child ended.
"""

import contextlib
import io
import math
import mmap
import multiprocessing
import os
import re
import resource
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from typing import Any, BinaryIO, TextIO

from cnn.atomic_write import remove_temporary_files
from cnn.config import TrainConfig
from cnn.errors import Error

# A scheduler signals all processes, but not at the same moment. After the end of
# another process, this one waits for its own signal before it reports the other.
SIGNAL_GRACE_SECONDS = 3.0

# A child that waits in native code does not react to a signal, and is then killed.
_KILL_AFTER_SECONDS = 10.0

_POLL_SECONDS = 0.1

# XLA, Orbax and NumPy start some dozens of threads per process.
_FEW_PROCESSES = 1024

# Slurm and Open MPI tell a process its number.
_PROCESS_ID_VARIABLES = ("SLURM_PROCID", "OMPI_COMM_WORLD_RANK")

_LOST_PEER = (
    "{peer} of this run has ended or cannot be reached; the same command on all hosts "
    "continues from the last checkpoint"
)

PORT_IN_USE_MESSAGE = (
    "cannot listen on the port of the coordinator, which another program uses; give "
    "another port"
)

# What the native output of JAX's coordination service says of such an end.
_COORDINATION_WORDS = re.compile("coordination.?service|distributed service", re.I)
_NO_RESOURCES = re.compile(
    "bad_alloc|out of memory|allocate memory|pthread_create|temporarily unavailable"
    "|thread constructor|Thread .* creation",
    re.I,
)
_PORT_IN_USE = re.compile("Failed to add port to server")
_DEAD_PROCESSES = re.compile(r"stopped sending heartbeats\):\n([\d, ]+)\n")


class ProcessError(Error):
    """An end of this process or of another one of the run."""


# Memory that this process shares with its child. The first value is the number of the
# process in the run plus 1, or 0 while it is unknown. The second is 1 as soon as all
# processes are connected.
_shared = memoryview(mmap.mmap(-1, 8)).cast("i")


def report_connected(process_id: int) -> None:
    """Tells the supervisor, if there is one, that all processes are connected."""
    _shared[0] = process_id + 1
    _shared[1] = 1


def error_prefix() -> str:
    """Returns the name of this process for error messages, such as `process 1: `."""
    return f"process {_shared[0] - 1}: " if _shared[0] else ""


def lost_peer_message(names: str = "") -> str:
    """Returns the message for the loss of another process.

    Args:
      names: numbers of the lost processes, if they are known.
    """
    return _LOST_PEER.format(peer=f"process {names}" if names else "another process")


def has_low_limits() -> bool:
    """Returns whether a limit of memory or processes may end native code."""
    kinds = (resource.RLIMIT_AS, resource.RLIMIT_DATA, resource.RLIMIT_NPROC)
    memory, data, processes = (resource.getrlimit(kind)[0] for kind in kinds)
    # No limit is -1.
    return memory >= 0 or data >= 0 or 0 <= processes < _FEW_PROCESSES


def run_supervised(command: Callable[[], int], config: TrainConfig) -> int:
    """Runs a command in a child process, and waits for its end.

    Must be called before JAX is imported, because the child is forked.

    Args:
      command: returns the exit status. It reports its own errors.
      config: settings, with the time limit of the connection.

    Returns:
      The exit status of the command.

    Raises:
      ProcessError: the child was ended by another process's death, or crashed.
    """
    process_id = _find_process_id(config) if config.is_distributed else None
    if process_id is not None:
        _shared[0] = process_id + 1
    context = multiprocessing.get_context("fork")
    with tempfile.TemporaryFile() as log:
        child = context.Process(target=_run_child, args=(command, log))
        child.start()
        with _forward_signals(child) as received:
            is_single = not config.is_distributed
            timeout = math.inf if is_single else config.initialization_timeout
            status, is_late = _wait_for_end(child, received, timeout)
            if status == -signal.SIGABRT:
                _wait_for_signal(received)
        if status >= 0:
            return status
        if received:
            # The handler of the command says so, and exits.
            signal.raise_signal(received[0])
        raise ProcessError(_describe_end(-status, is_late, config, _read(log)))


def _find_process_id(config: TrainConfig) -> int | None:
    """Returns the number of this process, if a flag or a launcher tells it."""
    if config.process_id is not None:
        return config.process_id
    numbers = (os.environ.get(name, "") for name in _PROCESS_ID_VARIABLES)
    return next((int(number) for number in numbers if number.isdecimal()), None)


def _run_child(command: Callable[[], int], log: BinaryIO) -> None:
    threading.Thread(target=_exit_after_parent, daemon=True).start()
    # An abort leaves no core file.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Python keeps the terminal, native code gets the file.
    sys.stdout = _duplicate(sys.stdout)
    sys.stderr = _duplicate(sys.stderr)
    for descriptor in (1, 2):
        os.dup2(log.fileno(), descriptor)
    sys.exit(command())


def _exit_after_parent() -> None:
    """Exits as soon as the parent does. A killed parent cannot end its child itself."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    remove_temporary_files()
    os._exit(1)


def _duplicate(stream: TextIO | None) -> TextIO | None:
    """Opens the file of a stream again. A stream may be closed or have no file."""
    if stream is None:
        return None
    stream.flush()
    try:
        descriptor = os.dup(stream.fileno())
    except io.UnsupportedOperation:
        return stream
    return open(
        descriptor,
        "w",
        buffering=1,
        encoding=stream.encoding,
        errors=stream.errors,
    )


@contextlib.contextmanager
def _forward_signals(child: BaseProcess) -> Iterator[list[int]]:
    """Passes Ctrl-C and SIGTERM on to the child. Yields the list of those that came."""
    received: list[int] = []

    def forward(number: int, _: Any) -> None:
        received.append(number)
        if child.pid is not None and child.is_alive():
            os.kill(child.pid, number)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    previous = {number: signal.getsignal(number) for number in numbers}
    for number, handler in previous.items():
        if handler != signal.SIG_IGN:  # Ignored under nohup.
            signal.signal(number, forward)
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _wait_for_end(
    child: BaseProcess, received: list[int], timeout: float
) -> tuple[int, bool]:
    """Waits for the child, and kills it if it is late or does not react to a signal.

    Args:
      child: the process.
      received: signals that were passed on to it. The list may grow meanwhile.
      timeout: seconds until it must be connected. JAX exceeds this limit of its own by
        several seconds.

    Returns:
      The exit status, or the signal that ended the child as a negative number, and
      whether the child was late.
    """
    latest_connection = time.monotonic() + timeout
    kill_time = math.inf
    is_late = False
    while child.exitcode is None:
        now = time.monotonic()
        if received:
            kill_time = min(kill_time, now + _KILL_AFTER_SECONDS)
        is_late = is_late or (not _shared[1] and now > latest_connection)
        if is_late or now > kill_time:
            child.kill()
        child.join(_POLL_SECONDS)
    return child.exitcode, is_late


def _wait_for_signal(received: list[int]) -> None:
    deadline = time.monotonic() + SIGNAL_GRACE_SECONDS
    while not received and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def _read(log: BinaryIO) -> str:
    log.seek(0)
    return log.read().decode(errors="replace")


def _describe_end(number: int, is_late: bool, config: TrainConfig, log: str) -> str:
    """Explains why a signal ended the child.

    Args:
      number: the signal.
      is_late: whether this process has killed it, because it was not connected in time.
      config: settings.
      log: native output of the child.
    """
    is_peer = number == signal.SIGABRT and _COORDINATION_WORDS.search(log)
    if is_late or (is_peer and not _shared[1]):
        return _describe_timeout(config)
    if is_peer:
        dead = _DEAD_PROCESSES.search(log)
        return lost_peer_message(dead[1] if dead else "")
    if _PORT_IN_USE.search(log):
        return PORT_IN_USE_MESSAGE
    if number == signal.SIGKILL:
        return (
            "the training was killed, perhaps for lack of memory; try a smaller "
            "--batch-size"
        )
    if _NO_RESOURCES.search(log) or (number == signal.SIGSEGV and has_low_limits()):
        return (
            "not enough memory, or too few processes allowed; raise the limit (ulimit "
            "-v, ulimit -u), or try a smaller --batch-size"
        )
    lines = [line for line in log.splitlines() if line and "[Gloo]" not in line]
    reason = lines[-1] if lines else "no further output"
    return f"the training was ended by signal {signal.Signals(number).name} ({reason})"


def _describe_timeout(config: TrainConfig) -> str:
    processes = "the processes"
    place = ""
    if config.coordinator is not None:
        processes = f"the {config.num_processes} processes"
        place = f" to {config.coordinator}"
    return (
        f"{processes} did not all connect{place} within {config.initialization_timeout}"
        " seconds; start them all, each with its own --process-id, check the address "
        "and the firewall, or give a longer --initialization-timeout"
    )
