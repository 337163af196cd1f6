"""Process that draws plots, and imports Matplotlib while files are read."""

import contextlib
import importlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from cnn import parallel

# Takes the name of a function of `cnn.plots` and its arguments, and calls it.
CallPlot = Callable[..., None]


@contextlib.contextmanager
def plot_process() -> Iterator[CallPlot]:
    """Starts a process for plots, and ends it with the `with` block.

    Yields:
      A function that calls a function of `cnn.plots` in that process and waits for
      its end. Its arguments are the name of that function and its arguments.
    """
    executor = ProcessPoolExecutor(
        max_workers=1,
        mp_context=parallel.mp_context(),
        initializer=parallel.exit_with_parent,
    )

    def call_plot(name: str, *arguments: Any) -> None:
        try:
            executor.submit(_call_plot, name, arguments).result()
        except BrokenProcessPool:
            # The process was killed. This process draws the plot instead.
            _call_plot(name, arguments)

    with executor:
        executor.submit(importlib.import_module, "cnn.plots")
        yield call_plot


def _call_plot(name: str, arguments: Sequence[Any]) -> None:
    from cnn import plots

    getattr(plots, name)(*arguments)
