"""Figures of a training run: curves, confusion, top losses, reliability."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cnn.plots.class_names import find_widest, measure_width, shorten_names
from cnn.plots.confusion import draw_confusion_matrix
from cnn.plots.figures import (
    BLUE,
    CAPTION_SIZE,
    GRAY,
    ORANGE,
    RED,
    Caption,
    count_rows,
    draw_contact_sheet,
    format_as_percent,
    save_figure,
)
from cnn.plots.settings import with_default_settings

_MAX_TOP_LOSSES = 60
_TOP_LOSSES_COLUMNS = 10
# In inches: the width of their figure, and of a caption in one of its cells.
_TOP_LOSSES_WIDTH = 11.0
_MAX_CAPTION_WIDTH = 0.95
# Keeps the cross-entropy finite where a probability is 0.
_MIN_PROBABILITY = 1e-30
# Keeps the error bar of a bin visible where all its predictions are correct.
_MIN_VARIANCE = 1e-6


@with_default_settings
def plot_training_curves(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Plots accuracy and loss of the training and validation images per epoch.

    Args:
      history: one mapping per epoch with the keys `epoch`, `loss` and `val_loss` in
        nats, `accuracy` and `val_accuracy` in [0, 1].
      path: PNG file to write.
    """
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    accuracy_axes, loss_axes = figure.subplots(1, 2)
    _plot_curve(accuracy_axes, history, "accuracy")
    accuracy_axes.set_ylabel("accuracy (%)")
    format_as_percent(accuracy_axes.yaxis)
    _plot_curve(loss_axes, history, "loss")
    loss_axes.set_ylabel("cross-entropy (nats)")
    loss_axes.set_ylim(bottom=0)
    save_figure(figure, path)


def _plot_curve(
    axes: Axes, history: Sequence[Mapping[str, float]], metric: str
) -> None:
    epochs = [row["epoch"] for row in history]
    train = [row[metric] for row in history]
    validation = [row[f"val_{metric}"] for row in history]
    axes.plot(
        epochs,
        train,
        "o-",
        color=ORANGE,
        label="training (augmented images)",
    )
    axes.plot(epochs, validation, "s-", color=BLUE, label="validation")
    axes.set_title(metric.capitalize())
    axes.set_xlabel("epoch")
    integer_ticks = MaxNLocator(integer=True, min_n_ticks=1)
    axes.xaxis.set_major_locator(integer_ticks)
    axes.grid(alpha=0.3)
    axes.legend()


@with_default_settings
def plot_confusion_matrix(
    labels: np.ndarray, predictions: np.ndarray, class_names: Sequence[str], path: Path
) -> None:
    """Plots how many images of each class were predicted as each class.

    Args:
      labels: `int (N,)`, the true classes.
      predictions: `int (N,)`, the predicted classes.
      class_names: class names, in the order of the labels.
      path: PNG file to write.
    """
    count = len(class_names)
    matrix = np.zeros((count, count), int)
    np.add.at(matrix, (labels, predictions), 1)
    height = min(4.5 + 0.32 * count, 15) + find_widest(shorten_names(class_names))
    size = (height + 1, height)  # The color bar is beside it.
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    draw_confusion_matrix(axes, matrix, class_names, size)
    save_figure(figure, path)


@with_default_settings
def plot_reliability_diagram(
    confidence: np.ndarray, accuracy: np.ndarray, counts: np.ndarray, path: Path
) -> None:
    """Plots accuracy against confidence, and states the expected calibration error.

    Args:
      confidence: `float (num_bins,)`, mean confidence of each bin, in [0, 1].
      accuracy: `float (num_bins,)`, accuracy of each bin, in [0, 1].
      counts: `int (num_bins,)`, predictions in each bin.
      path: PNG file to write.
    """
    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    axes = figure.subplots()
    lowest = min(confidence.min(), accuracy.min())
    low = max(0, lowest - 0.03)
    axes.plot([low, 1], [low, 1], "--", color=GRAY, label="perfect calibration")
    bin_size = counts.max()
    axes.errorbar(
        confidence,
        accuracy,
        _standard_error(accuracy, counts),
        fmt="o",
        color=BLUE,
        capsize=3,
        label=f"{len(counts)} bins of {bin_size:,} predictions, ±1 standard error",
    )
    axes.set_xlabel("confidence (%)")
    axes.set_ylabel("accuracy (%)")
    axes.set_xlim(low, 1.005)
    axes.set_ylim(low, 1.01)
    total = counts.sum()
    gap = np.abs(confidence - accuracy)
    error = gap @ counts / max(1, total)
    axes.set_title(
        f"Reliability: {total:,} images, expected calibration error {error:.2%}"
    )
    format_as_percent(axes.xaxis)
    format_as_percent(axes.yaxis)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left")
    save_figure(figure, path)


def _standard_error(accuracy: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Computes the standard error of the accuracy of each bin (binomial)."""
    variance = accuracy * (1 - accuracy)
    variance = np.maximum(variance, _MIN_VARIANCE)
    num_predictions = np.maximum(counts, 1)
    return np.sqrt(variance / num_predictions)


@with_default_settings
def plot_top_losses(
    images: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray,
    class_names: Sequence[str],
    path: Path,
) -> None:
    """Plots the misclassified images, highest cross-entropy first, at most 60.

    Args:
      images: `uint8 (N, 28, 28, 1)`.
      labels: `int (N,)`, the true classes.
      probabilities: `float32 (N, num_classes)`.
      class_names: class names, in the order of the labels.
      path: PNG file to write.
    """
    predictions = probabilities.argmax(-1)
    wrong = np.flatnonzero(predictions != labels)
    true_probabilities = probabilities[wrong, labels[wrong]]
    losses = _cross_entropy(true_probabilities)
    order = np.argsort(-losses, kind="stable")
    shown = wrong[order][:_MAX_TOP_LOSSES]
    captions = []
    for i in shown:
        truth = class_names[labels[i]]
        prediction = class_names[predictions[i]]
        confidence = probabilities[i, predictions[i]]
        text = _describe_error(truth, prediction)
        captions.append(Caption(f"{text}\n{confidence:.1%} sure", RED))
    rows = count_rows(len(shown), _TOP_LOSSES_COLUMNS)
    height = 1.1 + 1.55 * rows
    figure = Figure(figsize=(_TOP_LOSSES_WIDTH, height), layout="constrained")
    title = _describe_errors(len(wrong), len(labels), len(shown))
    figure.suptitle(title)
    draw_contact_sheet(
        figure,
        images[shown],
        captions,
        _TOP_LOSSES_COLUMNS,
    )
    save_figure(figure, path)


def _cross_entropy(true_probabilities: np.ndarray) -> np.ndarray:
    """Computes the loss in nats from the probability of the true class."""
    positive = np.maximum(true_probabilities, _MIN_PROBABILITY)
    return -np.log(positive)


def _describe_error(truth: str, prediction: str) -> str:
    """Makes one line, or two where the names are too long for a cell."""
    line = f"{truth} read as {prediction}"
    if measure_width(line, CAPTION_SIZE) <= _MAX_CAPTION_WIDTH:
        return line
    return f"{truth}\nas {prediction}"


def _describe_errors(wrong: int, total: int, shown: int) -> str:
    share = wrong / total
    title = f"{wrong:,} of {total:,} test images were read wrong ({share:.2%})"
    title += "; highest loss first"
    if shown < wrong:
        title += f", {shown} shown"
    return title
