"""The plots of a run: training curves, confusion matrix, mistakes and reliability."""

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from scipy.special import softmax

from cnn import calibration
from cnn.plot_process import CallPlot, count_plot_processes, plot_process
from cnn.training.evaluation import Evaluation
from cnn.training.workdir import Workdir


class _Plot(NamedTuple):
    """A plot: function of `cnn.plots`, file in the workdir, and arguments."""

    name: str
    file: str
    arguments: tuple[Any, ...]


@contextlib.contextmanager
def open_plot_processes(run: Workdir) -> Iterator[Sequence[CallPlot]]:
    """Opens processes for plots, and ends them with the `with` block.

    Only the first host draws.
    """
    count = count_plot_processes() if run.is_primary else 0
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(plot_process()) for _ in range(count)]


def try_to_save_plots(
    run: Workdir, test: Evaluation, processes: Sequence[CallPlot]
) -> None:
    """Saves the plots, or warns: the model and the report are complete without them.

    Args:
      run: opened workdir.
      test: evaluation of the test images.
      processes: from `open_plot_processes`. Each draws one plot at a time.
    """
    if not processes:
        return
    plots = _list_plots(run, test)

    def draw(index: int) -> None:
        for name, file, arguments in plots[index :: len(processes)]:
            processes[index](name, *arguments, path=run.folder / file)

    try:
        with ThreadPoolExecutor(len(processes)) as executor:
            list(executor.map(draw, range(len(processes))))
    # A missing font, a full disk, too little memory, a broken matplotlib.
    except Exception as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        run.log(
            f"warning: {run.folder}: the plots are not complete ({reason}); the same "
            "command makes them again"
        )


def _list_plots(run: Workdir, test: Evaluation) -> list[_Plot]:
    """Lists the plots, so that two processes have about the same to draw."""
    images, labels, class_names = test.dataset[:3]
    probabilities = softmax(test.logits, axis=-1)
    predictions = probabilities.argmax(-1)
    is_correct = predictions == labels
    bins = calibration.equal_mass_bins(probabilities.max(-1), is_correct)
    return [
        _Plot("plot_training_curves", "curves.png", (run.read_metrics(),)),
        _Plot(
            "plot_top_losses",
            "mistakes.png",
            (images, labels, probabilities, class_names),
        ),
        _Plot(
            "plot_confusion_matrix",
            "confusion.png",
            (labels, predictions, class_names),
        ),
        _Plot("plot_reliability_diagram", "reliability.png", bins),
    ]
