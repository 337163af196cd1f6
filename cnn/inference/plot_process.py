"""Process that draws plots, and imports Matplotlib while files are read."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from cnn.child_process import ChildProcess, connect

# Takes the name of a function of `cnn.plots` and its arguments, and calls it.
CallPlot = Callable[..., None]


class PlotError(Exception):
    """A plot cannot be drawn."""


@contextlib.contextmanager
def plot_process() -> Iterator[CallPlot]:
    """Starts a process for plots, and ends it with the `with` block.

    Yields:
      A function that calls a function of `cnn.plots` in that process and waits for
      its end. Its arguments are the name of that function and its arguments. It raises
      `PlotError`.
    """
    try:
        child = ChildProcess("cnn.inference.plot_process", "main")
    except OSError:  # No more processes, descriptors or memory.
        yield _call_here
        return

    def call_plot(name: str, *arguments: Any) -> None:
        try:
            child.requests.send((name, arguments))
            reason = child.results.recv()
        except (EOFError, OSError):
            # The process was killed. This process draws the plot instead.
            reason = _draw(name, arguments)
        if reason is not None:
            raise PlotError(reason)

    with contextlib.closing(child):
        yield call_plot


def main() -> None:
    """Draws plots until the parent closes the pipe or ends."""
    requests, results, _ = connect()
    # Plots need a second to import.
    with contextlib.suppress(Exception):
        import cnn.plots  # noqa: F401
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            results.send(_draw(*requests.recv()))


def _call_here(name: str, *arguments: Any) -> None:
    reason = _draw(name, arguments)
    if reason is not None:
        raise PlotError(reason)


def _draw(name: str, arguments: tuple[Any, ...]) -> str | None:
    """Draws a plot, and returns the reason in one line if that fails."""
    try:
        from cnn import plots

        getattr(plots, name)(*arguments)
    except Exception as error:  # Whatever Matplotlib raises.
        reason = getattr(error, "strerror", None) or str(error)
        return reason.partition("\n")[0] or type(error).__name__
    return None
