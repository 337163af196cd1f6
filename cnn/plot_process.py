"""Process that draws plots, and imports Matplotlib while files are read."""

import contextlib
import io
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from cnn.atomic_write import atomic_write
from cnn.child_process import connect_to_parent, start_ahead, take_child
from cnn.parallel import cpu_count

# Module and function of the process, for `cnn.child_process.start_ahead`.
PLOTTER = ("cnn.plot_process", "draw_plots")

# Threads that each call a process draw here without one. Matplotlib has one set of
# settings for all of them.
_one_at_a_time = threading.Lock()


class CallPlot(Protocol):
    """Calls a function of `cnn.plots`, and writes the plot to a file."""

    def __call__(self, name: str, *arguments: Any, path: Path) -> None:
        """Draws a plot.

        Args:
          name: name of the function.
          arguments: its arguments but the last, the path.
          path: PNG file to write.

        Raises:
          PlotError: the plot cannot be drawn.
          OSError: the file cannot be written.
        """


class PlotError(Exception):
    """A plot cannot be drawn."""


def count_plot_processes() -> int:
    """Returns the number of processes that draw the plots of a training run."""
    return min(cpu_count(), 2)


def start_plot_processes() -> AbstractContextManager[None]:
    """Starts those of a training run, which import Matplotlib while JAX is imported."""
    return start_ahead([PLOTTER] * count_plot_processes())


@contextlib.contextmanager
def plot_process() -> Iterator[CallPlot]:
    """Starts a process for plots, and ends it with the `with` block.

    The process returns a plot through a pipe, so that no file remains if it is killed.
    If there is none, this process draws.
    """
    try:
        child = take_child(*PLOTTER)
    except OSError:  # No more processes, descriptors or memory.
        yield _call_here
        return

    def call_plot(name: str, *arguments: Any, path: Path) -> None:
        try:
            child.requests.send((name, arguments))
            plot = child.results.recv()
        except (EOFError, OSError):
            plot = _draw(name, arguments)
        _write(plot, path)

    with contextlib.closing(child):
        yield call_plot


def draw_plots() -> None:
    """Draws plots until the parent closes the pipe or ends."""
    requests, results, _ = connect_to_parent()
    with contextlib.suppress(Exception):  # Reported when it draws.
        import cnn.plots  # noqa: F401
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            results.send(_draw(*requests.recv()))


def _call_here(name: str, *arguments: Any, path: Path) -> None:
    _write(_draw(name, arguments), path)


def _draw(name: str, arguments: tuple[Any, ...]) -> bytes | str:
    """Returns a plot as PNG, or in one line why it cannot be drawn."""
    file = io.BytesIO()
    try:
        with _one_at_a_time:
            from cnn import plots

            getattr(plots, name)(*arguments, file)
    except Exception as error:  # Whatever Matplotlib, or its import, raises.
        reason = getattr(error, "strerror", None) or str(error)
        return reason.partition("\n")[0] or type(error).__name__
    return file.getvalue()


def _write(plot: bytes | str, path: Path) -> None:
    if isinstance(plot, str):
        raise PlotError(plot)
    with atomic_write(path) as partial:
        partial.write_bytes(plot)
