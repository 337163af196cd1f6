"""Every picture that the program draws, from plain arrays, without a display."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, PercentFormatter
from PIL import Image

from cnn.atomic_write import atomic_write

_BLUE, _ORANGE, _GREEN, _RED, _GREY = (
    "#2166ac",
    "#d9730d",
    "#1a7f37",
    "#c62828",
    "#57606a",
)
# Above this many classes, numbers in the cells of a matrix would not be legible.
_LEGIBLE_CLASSES = 15


def plot_training_curves(history: Sequence[dict[str, float]], path: Path) -> None:
    """Draws accuracy and loss, of training and validation, against the epoch.

    Args:
      history: a row an epoch: `epoch`, `loss`, `accuracy` in [0, 1], `val_loss`, `val_accuracy`.
      path: of the PNG.
    """
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    epochs = [row["epoch"] for row in history]
    for axes, name in zip(figure.subplots(1, 2), ("accuracy", "loss"), strict=True):
        train = [row[name] for row in history]
        validation = [row[f"val_{name}"] for row in history]
        axes.plot(
            epochs, train, "o-", color=_ORANGE, label="training (distorted images)"
        )
        axes.plot(epochs, validation, "s-", color=_BLUE, label="validation")
        axes.set(title=name.capitalize(), xlabel="epoch")
        axes.set_ylabel(
            "accuracy (%)" if name == "accuracy" else "cross-entropy (nats)"
        )
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
        if name == "accuracy":
            axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=""))
        else:
            axes.set_ylim(bottom=0)
    _save(figure, path)


def plot_confusion_matrix(
    labels: np.ndarray, predictions: np.ndarray, class_names: Sequence[str], path: Path
) -> None:
    """Draws which class was taken for which.

    Args:
      labels: `int (N,)`, the truth.
      predictions: `int (N,)`.
      class_names: of the labels.
      path: of the PNG.
    """
    side = min(4.5 + 0.32 * len(class_names), 16)
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    matrix = np.zeros((len(class_names), len(class_names)), int)
    np.add.at(matrix, (labels, predictions), 1)
    _draw_confusion_matrix(figure.subplots(), matrix, class_names)
    _save(figure, path)


def _draw_confusion_matrix(
    axes: Axes, matrix: np.ndarray, names: Sequence[str]
) -> None:
    count = len(names)
    share = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    # The square root shows single mistakes beside thousands of right answers.
    image = axes.imshow(np.sqrt(share), cmap="Blues", vmin=0, vmax=1)
    if count <= _LEGIBLE_CLASSES:
        for (row, column), number in np.ndenumerate(matrix):
            if number:
                colour = "white" if share[row, column] > 0.3 else "black"
                axes.text(
                    column,
                    row,
                    f"{number:,}",
                    ha="center",
                    va="center",
                    color=colour,
                    fontsize=9,
                )
    rotation = 0 if max(map(len, names)) <= 3 else 90
    axes.set_xticks(range(count), names, rotation=rotation)
    axes.set_yticks(range(count), names)
    right = np.trace(matrix) / max(matrix.sum(), 1)
    axes.set(xlabel="prediction", ylabel="truth")
    axes.set_title(f"Confusion matrix: {matrix.sum():,} images, {right:.2%} right")
    bar = axes.figure.colorbar(
        image, ax=axes, shrink=0.8, label="share of the row (square-root scale)"
    )
    ticks = np.array([0, 0.01, 0.1, 0.25, 0.5, 1])
    bar.set_ticks(list(np.sqrt(ticks)), labels=[f"{t:.0%}" for t in ticks])


def plot_reliability_diagram(
    confidence: np.ndarray, accuracy: np.ndarray, counts: np.ndarray, path: Path
) -> None:
    """Draws how often predictions were right against how sure the network was of them.

    Args:
      confidence: `float (bins,)`, mean in each bin, in [0, 1].
      accuracy: `float (bins,)`, in [0, 1].
      counts: `int (bins,)`, how many predictions are in each bin.
      path: of the PNG.
    """
    error = np.abs(confidence - accuracy) @ counts / max(1, counts.sum())
    low = max(0, min(confidence.min(), accuracy.min()) - 0.03)
    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    axes = figure.subplots()
    axes.plot([low, 1], [low, 1], "--", color=_GREY, label="as right as it is sure")
    deviation = np.sqrt(
        np.maximum(accuracy * (1 - accuracy), 1e-6) / np.maximum(counts, 1)
    )
    label = f"{len(counts)} bins of {counts.max():,} predictions, ±1 standard error"
    axes.errorbar(
        confidence, accuracy, deviation, fmt="o", color=_BLUE, capsize=3, label=label
    )
    axes.set(
        xlabel="confidence (%)",
        ylabel="accuracy (%)",
        xlim=(low, 1.005),
        ylim=(low, 1.01),
    )
    axes.set_title(
        f"Reliability: {counts.sum():,} images, expected calibration error {error:.2%}"
    )
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, symbol=""))
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left")
    _save(figure, path)


def plot_image_rows(rows: Mapping[str, np.ndarray], path: Path) -> None:
    """Draws what each distortion makes of the same pictures, a row each.

    Args:
      rows: `float32 (n, height, width)` in [0, 1], by name.
      path: of the PNG.
    """
    count = max(len(pictures) for pictures in rows.values())
    figure = Figure(
        figsize=(1.9 + 0.42 * count, 0.2 + 0.43 * len(rows)), layout="constrained"
    )
    axes = figure.subplots()
    for row, pictures in enumerate(rows.values()):
        for column, picture in enumerate(pictures):
            extent = (column + 0.03, column + 0.97, row + 0.97, row + 0.03)
            axes.imshow(picture, cmap="gray_r", vmin=0, vmax=1, extent=extent)
    axes.set(xlim=(0, count), ylim=(len(rows), 0), aspect="equal", xticks=[])
    axes.set_yticks(np.arange(len(rows)) + 0.5, list(rows))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    _save(figure, path)


def plot_top_losses(
    images: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray,
    class_names: Sequence[str],
    path: Path,
) -> None:
    """Draws the images that were read wrong, those of the highest loss first.

    Args:
      images: `uint8 (N, 28, 28, 1)`.
      labels: `int (N,)`, the truth.
      probabilities: `float32 (N, num_classes)`.
      class_names: of the labels.
      path: of the PNG.
    """
    guesses = probabilities.argmax(-1)
    wrong = np.flatnonzero(guesses != labels)
    losses = -np.log(np.maximum(probabilities[wrong, labels[wrong]], 1e-30))
    shown = wrong[np.argsort(-losses, kind="stable")][:60]
    read = [
        f"{class_names[labels[i]]} read as {class_names[guesses[i]]}" for i in shown
    ]
    sure = [f"{probabilities[i, guesses[i]]:.1%} sure" for i in shown]
    captions = [("\n".join(lines), _RED) for lines in zip(read, sure, strict=True)]
    title = f"{len(wrong):,} of {len(labels):,} test images were read wrong ({len(wrong) / len(labels):.2%})"
    title += "; highest loss first" + (
        f", {len(shown)} shown" if len(shown) < len(wrong) else ""
    )
    figure = Figure(
        figsize=(11, 1.1 + 1.55 * max(1, -(-len(shown) // 10))), layout="constrained"
    )
    figure.suptitle(title)
    _draw_contact_sheet(figure, images[shown], captions, columns=10)
    _save(figure, path)


def _draw_contact_sheet(
    figure: Any,
    pictures: np.ndarray,
    captions: Sequence[tuple[str, str]],
    columns: int,
    originals: Sequence[np.ndarray] = (),
) -> None:
    """Lays pictures out in rows, each under its caption of (two lines of text, colour).

    Where there are originals, each stands to the left of its picture. One coordinate system for all of
    them is several times quicker than one for each.
    """
    height, edge, wide = 1.4, 0.84, 2 if originals else 1
    rows = max(1, -(-len(captions) // columns))
    axes = figure.subplots()
    axes.set_axis_off()
    for i, (picture, (text, colour)) in enumerate(zip(pictures, captions, strict=True)):
        left, top = (
            wide * (i % columns) + (1 - edge) / 2,
            i // columns * height + height - edge,
        )
        if originals:
            _draw_fitted(axes, originals[i], left, top, edge)
        last = left + (wide - 1) * (edge + 0.04)
        extent = (last, last + edge, top + edge, top)
        axes.imshow(np.squeeze(picture), cmap="gray_r", vmin=0, extent=extent)
        middle = ((left + last + edge) / 2, top - 0.04)
        axes.text(
            *middle,
            text,
            ha="center",
            va="bottom",
            fontsize=9,
            color=colour,
            parse_math=False,
        )
    axes.set(xlim=(0, wide * columns), ylim=(rows * height, 0), aspect="equal")


def _draw_fitted(
    axes: Axes, original: np.ndarray, left: float, top: float, edge: float
) -> None:
    """Draws a picture of any shape in the middle of a square."""
    height, width = edge * np.array(original.shape[:2]) / max(original.shape[:2])
    left, top = left + (edge - width) / 2, top + (edge - height) / 2
    axes.imshow(original, extent=(left, left + width, top + height, top))


def plot_page_examples(
    originals: Sequence[np.ndarray],
    pictures: np.ndarray,
    captions: Sequence[tuple[str, bool]],
    path: Path,
) -> None:
    """Draws files beside what the network saw of them.

    Args:
      originals: `uint8 (height, width, 3)` each.
      pictures: `float32 (n, 28, 28, 1)`.
      captions: for each of them a line or two, and whether it was right.
      path: of the PNG.
    """
    figure = Figure(
        figsize=(13, 0.4 + 1.75 * -(-len(captions) // 6)), layout="constrained"
    )
    colours = {True: _GREEN, False: _RED}
    _draw_contact_sheet(
        figure,
        pictures,
        [(text, colours[right]) for text, right in captions],
        6,
        originals,
    )
    _save(figure, path)


def plot_preprocessing(
    original: np.ndarray,
    found: np.ndarray,
    picture: np.ndarray,
    caption: str,
    path: Path,
) -> None:
    """Draws a file as it is, with what was found in it, and the picture that the network saw.

    Args:
      original: `uint8 (height, width, 3)`.
      found: `float32 (height, width)`, from 0 to 1 where the character's ink is.
      picture: `float32 (28, 28, 1)`; all 0 where there was none.
      caption: what was read.
      path: of the PNG.
    """
    figure = Figure(figsize=(10, 3.9), layout="constrained")
    figure.suptitle(caption, fontsize=11, parse_math=False)
    left, middle, right = figure.subplots(1, 3)
    left.imshow(original)
    left.set_title("the picture")
    middle.imshow(original)
    middle.imshow(_tint(found))
    _draw_box(middle, found)
    middle.set_title("what was found")
    right.imshow(picture[..., 0], cmap="gray", vmin=0, vmax=1)
    right.set_title("what the network saw")
    for axes in (left, middle, right):
        axes.set_axis_off()
    _save(figure, path)


def _tint(found: np.ndarray) -> np.ndarray:
    """Makes ink red, and opaque as far as it is ink."""
    red = np.broadcast_to(np.array([0.85, 0.1, 0.1], np.float32), (*found.shape, 3))
    return np.concatenate([red, 0.8 * found[..., None]], axis=-1)


def _draw_box(axes: Axes, found: np.ndarray) -> None:
    rows, columns = (np.flatnonzero((found > 0.2).any(axis)) for axis in (1, 0))
    if len(rows):
        corner = (columns[0] - 1, rows[0] - 1)
        size = (columns[-1] - columns[0] + 2, rows[-1] - rows[0] + 2)
        axes.add_patch(Rectangle(corner, *size, fill=False, color=_BLUE, linewidth=1.5))


def plot_predictions(
    originals: Sequence[np.ndarray],
    pictures: np.ndarray,
    captions: Sequence[str],
    confidences: Mapping[str, np.ndarray],
    counts: str,
    path: Path,
) -> None:
    """Draws what was read, least sure first, and how sure of each class.

    Args:
      originals: `uint8 (height, width, 3)` each, as the files are.
      pictures: `float32 (n, 28, 28, 1)`, as the network saw them.
      captions: a line or two for each of them.
      confidences: for each class name, `int (bins,)`, how many of its predictions have a confidence in each
        of so many equal parts of [0, 1].
      counts: what the title says.
      path: of the PNG.
    """
    sheet_height = 1.0 + 1.6 * max(1, -(-len(captions) // 5))
    figure = Figure(figsize=(13, 4.2 + sheet_height), layout="constrained")
    halves: Any = figure.subfigures(2, 1, height_ratios=[sheet_height, 4.2])
    top, bottom = halves
    figure.suptitle(counts, fontweight="bold")
    top.suptitle(
        "The files, what the network saw and read, least sure first", fontsize=11
    )
    _draw_contact_sheet(
        top, pictures, [(text, "black") for text in captions], 5, originals
    )
    _draw_class_confidence(bottom.subplots(), confidences)
    _save(figure, path)


def plot_labeled_predictions(
    confusion: np.ndarray,
    class_names: Sequence[str],
    originals: Sequence[np.ndarray],
    pictures: np.ndarray,
    captions: Sequence[tuple[str, bool | None]],
    counts: str,
    path: Path,
) -> None:
    """Draws what was read where the truth is known: pictures, accuracy a class, confusion.

    Args:
      confusion: `int (num_classes, num_classes + 1)`, how many images of each class were read as which; the
        last column counts those in which nothing was read, which are wrong.
      class_names: of the labels.
      originals: `uint8 (height, width, 3)` each, as the files are.
      pictures: `float32 (n, 28, 28, 1)`, as the network saw them.
      captions: for each of them a text, and whether it was right, None where that is not known.
      counts: what the title says.
      path: of the PNG.
    """
    sheet_height = 1.0 + 1.6 * max(1, -(-len(captions) // 5))
    figure = Figure(figsize=(13, 6.2 + sheet_height), layout="constrained")
    halves: Any = figure.subfigures(2, 1, height_ratios=[sheet_height, 6.2])
    top, bottom = halves
    figure.suptitle(counts, fontweight="bold")
    top.suptitle(
        "The files, what the network saw and read: wrong ones first, then the least sure",
        fontsize=11,
    )
    colours = {True: _GREEN, False: _RED, None: "black"}
    _draw_contact_sheet(
        top,
        pictures,
        [(text, colours[right]) for text, right in captions],
        5,
        originals,
    )
    left, right = bottom.subplots(1, 2, width_ratios=[1, 1.25])
    _draw_class_accuracy(left, confusion, class_names)
    _draw_confusion_matrix(right, confusion[:, :-1], class_names)
    _save(figure, path)


def _draw_class_accuracy(
    axes: Axes, confusion: np.ndarray, names: Sequence[str]
) -> None:
    total = confusion.sum(1)
    present = np.flatnonzero(total).tolist()
    accuracy = [confusion[i, i] / total[i] for i in present]
    axes.barh(range(len(present)), accuracy, color=_BLUE)
    axes.set_yticks(range(len(present)), [names[i] for i in present])
    for row, (i, value) in enumerate(zip(present, accuracy, strict=True)):
        text = f" {value:.1%} of {total[i]:,}"
        inside = value > 0.5
        axes.text(
            value,
            row,
            text + " ",
            va="center",
            ha="right" if inside else "left",
            color="white" if inside else _GREY,
        )
    axes.invert_yaxis()
    axes.set(
        title="Accuracy by class", xlabel="accuracy (%)", ylabel="truth", xlim=(0, 1)
    )
    axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=""))


def _draw_class_confidence(axes: Axes, confidences: Mapping[str, np.ndarray]) -> None:
    """Draws each class as a row of dots, or as a box where dots would hide one another."""
    totals = {
        name: int(counts.sum()) for name, counts in confidences.items() if counts.any()
    }
    names = list(totals)
    draw = np.random.default_rng(0)
    for row, name in enumerate(names):
        counts = confidences[name]
        values = (np.arange(len(counts)) + 0.5) / len(counts)
        if totals[name] > 200:
            axes.bxp(
                [_quantiles(values, counts)],
                positions=[row],
                orientation="horizontal",
                showfliers=False,
            )
        else:
            dots = np.repeat(values, counts)
            axes.plot(
                dots,
                row + draw.uniform(-0.25, 0.25, len(dots)),
                ".",
                color=_BLUE,
                alpha=0.6,
            )
    axes.set_yticks(
        range(len(names)), [f"{name}  ({totals[name]:,})" for name in names]
    )
    axes.invert_yaxis()
    axes.set(
        title="Confidence by predicted class",
        xlabel="confidence (%)",
        ylabel="prediction (how many)",
    )
    axes.set_xlim(0, 1.02)
    axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=""))
    axes.grid(axis="x", alpha=0.3)


def _quantiles(values: np.ndarray, counts: np.ndarray) -> dict[str, float]:
    """Finds the values that a hundredth, a quarter, half, ... do not exceed, of so many of each."""
    share = np.cumsum(counts) / counts.sum()
    places = {"whislo": 0.01, "q1": 0.25, "med": 0.5, "q3": 0.75, "whishi": 0.99}
    return {
        name: float(values[np.searchsorted(share, place)])
        for name, place in places.items()
    }


def _save(figure: Figure, path: Path) -> None:
    """Draws a figure once, where `savefig` would draw it a second time to lay it out."""
    figure.set_dpi(120)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    with atomic_write(path) as partial:
        picture.save(partial, "PNG", compress_level=4)
