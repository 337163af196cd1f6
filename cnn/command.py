"""Runs a command, and reports its errors in one line and an exit status."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, NoReturn

from cnn.atomic_write import remove_temporary_files
from cnn.compilation_cache import enable_compilation_cache
from cnn.errors import Error, UsageError
from cnn.library_variables import ignore_variables

# Exit status of work that failed, or that was done in part.
EXIT_FAILURE = 1
# Exit status of a wrong command line.
EXIT_USAGE = 2

# Added to the number of the signal that ends a command, as by a shell.
_EXIT_SIGNAL = 128


class Advice(NamedTuple):
    """Steps that a user can take when a command ends early.

    Attributes:
      stopped: after a signal.
      out_of_memory: after memory ran out.
    """

    stopped: str
    out_of_memory: str


def started_for_command() -> bool:
    """Tells whether this process was started for the command.

    It was not if a notebook runs the command by `%run`, or a program by `runpy`.
    """
    return sys.argv[0] in sys.orig_argv


def run_command(command: Callable[[], int], advice: Advice, owns_process: bool) -> int:
    """Runs a command, and turns its errors into one line and an exit status.

    Args:
      command: returns the exit status.
      advice: printed with some errors.
      owns_process: whether this process may end here, after an error or a signal.
        At an orderly exit, threads that still work would crash or print tracebacks.
    """
    if sys.stderr is None:  # Closed by the shell: 2>&-
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    try:
        with _exit_on_signals(advice.stopped, owns_process):
            ignore_variables()
            enable_compilation_cache()
            return command()
    except BrokenPipeError:  # The reader of stdout is gone: bin/infer ... | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _EXIT_SIGNAL + signal.SIGPIPE
    except (Error, KeyboardInterrupt, MemoryError, ImportError, OSError) as error:
        status, message = _explain_error(error, advice)
    if owns_process:
        _exit_with_error(status, message)
    _print_error(message)
    return status


def _explain_error(error: BaseException, advice: Advice) -> tuple[int, str]:
    """Returns the exit status and the line for an error of a command."""
    match error:
        case UsageError():
            return EXIT_USAGE, str(error)
        case Error():
            return EXIT_FAILURE, str(error)
        case KeyboardInterrupt():
            return _EXIT_SIGNAL + signal.SIGINT, f"stopped; {advice.stopped}"
        case MemoryError():
            return EXIT_FAILURE, f"not enough memory; {advice.out_of_memory}"
        case ModuleNotFoundError():
            return EXIT_FAILURE, _missing_module_message(error)
        case OSError():  # For example a full disk, or a folder that vanished.
            name = error.filename or "input or output"
            return EXIT_FAILURE, f"{name}: {error.strerror or error}"
    return EXIT_FAILURE, f"{type(error).__name__}: {error}"


@contextlib.contextmanager
def _exit_on_signals(advice: str, owns_process: bool) -> Iterator[None]:
    """Exits from the handlers of signals, if the process may end here.

    A handler does not raise an exception, because Python drops an exception that
    happens to be raised in a finalizer.
    """
    if not owns_process:
        yield
        return
    words = {
        signal.SIGINT: "stopped",
        signal.SIGTERM: "terminated",
        signal.SIGHUP: "terminal closed",
    }
    stream = sys.stderr  # It may be redirected when the signal comes.

    def exit_on_signal(number: int, _: Any) -> None:
        for other in words:
            signal.signal(other, signal.SIG_IGN)
        sys.stderr = stream
        word = words[signal.Signals(number)]
        _exit_with_error(_EXIT_SIGNAL + number, f"{word}; {advice}")

    previous = {number: signal.getsignal(number) for number in words}
    for number, handler in previous.items():
        if handler != signal.SIG_IGN:  # Ignored under nohup.
            signal.signal(number, exit_on_signal)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _exit_with_error(status: int, message: str) -> NoReturn:
    """Prints an error and exits at once.

    At an orderly exit, threads that still work would crash or print tracebacks.
    """
    remove_temporary_files()
    _print_error(message)
    flush_and_exit(status)


def flush_and_exit(status: int) -> NoReturn:
    """Exits at once, with no child process left."""
    for stream in (sys.stdout, sys.stderr):
        # A stream is closed, its reader gone, or a signal has interrupted its flush.
        with contextlib.suppress(AttributeError, OSError, ValueError, RuntimeError):
            stream.flush()
    _call_if_imported("cnn.child_process", "kill_children")
    os._exit(status)


def _call_if_imported(module: str, function: str) -> Any:
    """Calls a function of a module. A signal may come before or during its import."""
    loaded = sys.modules.get(module)
    call = getattr(loaded, function, None)
    return None if call is None else call()


def _missing_module_message(error: ModuleNotFoundError) -> str:
    install = (
        "python3 -m venv .venv && .venv/bin/pip install -e . && . .venv/bin/activate"
    )
    return f"{error.name} is not installed for {sys.executable}; run: {install}"


def _print_error(message: str) -> None:
    prefix = _call_if_imported("cnn.supervisor", "error_prefix") or ""
    print(f"error: {prefix}" + " ".join(message.split("\n")), file=sys.stderr)
