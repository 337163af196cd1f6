"""Figures of a training run and of an inference run, drawn without a display.

The functions raise OSError if a figure cannot be drawn or written.
"""

from cnn.plots import settings
from cnn.plots.inference import (
    plot_labeled_predictions,
    plot_predictions,
)
from cnn.plots.numbers import plot_number_boxes, plot_numbers
from cnn.plots.preprocessing import plot_preprocessing
from cnn.plots.training import (
    plot_confusion_matrix,
    plot_reliability_diagram,
    plot_top_losses,
    plot_training_curves,
)

__all__ = [
    "plot_confusion_matrix",
    "plot_labeled_predictions",
    "plot_number_boxes",
    "plot_numbers",
    "plot_predictions",
    "plot_preprocessing",
    "plot_reliability_diagram",
    "plot_top_losses",
    "plot_training_curves",
    "settings",
]
