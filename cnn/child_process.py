"""Starts child processes that answer requests, and ends them.

A child is a new interpreter, because a fork would copy locks that threads of JAX hold.
Pipes alone connect it to this process: they need no temporary folder and no shared
memory, and nothing of them remains, whatever ends the two.
"""

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection, Pipe

from cnn.atomic_write import remove_temporary_files
from cnn.import_path import helper_command, helper_environment

# Bytes of results that a child can send before this process receives them. More than
# 64 KiB keeps it busy meanwhile. The largest value that Linux grants to every user.
_PIPE_BYTES = 1 << 20

_children: "weakref.WeakSet[ChildProcess]" = weakref.WeakSet()
# Module and function of children that `start_ahead` has started, and nobody has taken.
_started_ahead: "list[tuple[tuple[str, str], ChildProcess]]" = []


class ChildProcess:
    """A child process, and this process's ends of its pipes.

    Attributes:
      requests: pipe of what this process sends.
      results: pipe of what the child answers. Its end means that the child has died.
      progress: pipe of bytes, which the child may write at each step of its work.
        Reading does not block.
    """

    def __init__(self, module: str, function: str) -> None:
        """Starts a process that calls a function.

        Args:
          module: for example `cnn.image_files.decode_worker`.
          function: takes no argument, and first calls `connect_to_parent`.

        Raises:
          OSError: the system has no more processes, descriptors or memory.
        """
        requests, self.requests = Pipe(duplex=False)
        self.results, results = Pipe(duplex=False)
        self.progress, progress = Pipe(duplex=False)
        os.set_blocking(self.progress.fileno(), False)
        with contextlib.suppress(AttributeError, OSError):
            fcntl.fcntl(results.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        with requests, results, progress:
            self._process = subprocess.Popen(
                [*helper_command(module, function), str(progress.fileno())],
                stdin=requests.fileno(),
                stdout=results.fileno(),
                # Messages of C libraries name no file.
                stderr=subprocess.DEVNULL,
                pass_fds=[progress.fileno()],
                env=helper_environment(),
            )
        _children.add(self)

    def close(self) -> None:
        """Kills the process and closes the pipes."""
        self._process.kill()
        self._process.wait()
        _children.discard(self)
        for pipe in (self.requests, self.results, self.progress):
            pipe.close()

    def kill(self) -> None:
        """Kills the process, also from a signal handler within another method."""
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self._process.pid, signal.SIGKILL)
            os.waitpid(self._process.pid, 0)


@contextlib.contextmanager
def start_ahead(functions: Iterable[tuple[str, str]]) -> Iterator[None]:
    """Starts children that `take_child` returns in the `with` block.

    They import what they need while this process does so itself. Those that are not
    taken are killed at the end of the block.

    Args:
      functions: module and function of each child.
    """
    with contextlib.suppress(OSError):  # `take_child` tries again.
        for function in functions:
            _started_ahead.append((function, ChildProcess(*function)))
    try:
        yield
    finally:
        while _started_ahead:
            _started_ahead.pop()[1].close()


def take_child(module: str, function: str) -> ChildProcess:
    """Returns a child that was started ahead for a function, or starts one.

    Args:
      module: as for `ChildProcess`, like `function`.
      function: called by the child.

    Raises:
      OSError: the system has no more processes, descriptors or memory.
    """
    for index, (started, child) in enumerate(_started_ahead):
        if started == (module, function):
            del _started_ahead[index]
            return child
    return ChildProcess(module, function)


def kill_children() -> None:
    """Kills all child processes, before `os._exit`."""
    for child in list(_children):
        child.kill()


def connect_to_parent() -> tuple[Connection, Connection, int]:
    """Prepares this child process, and returns its ends of the pipes.

    From now on the process ignores Ctrl-C, which its parent handles, and exits as soon
    as its parent does.

    Returns:
      The pipes of requests and results, and the descriptor of the pipe of progress.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests = Connection(os.dup(0), writable=False)
    results = Connection(os.dup(1), readable=False)
    # What libraries print must not come between the results.
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    watch = threading.Thread(target=_exit_with_parent, args=(requests.fileno(),))
    watch.daemon = True
    watch.start()
    return requests, results, int(sys.argv[1])


def _exit_with_parent(requests: int) -> None:
    """Waits until the other end of a pipe is closed, and exits."""
    poll = select.poll()
    poll.register(requests, 0)  # Reports no event but the end.
    poll.poll()
    remove_temporary_files()
    os._exit(1)
