"""Plots of a run: one report plot, and one image per file for debugging."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cnn.image_files.listing import InputFile, to_path
from cnn.inference.run_statistics import ContactSheetEntry, RunStatistics
from cnn.plot_process import CallPlot, PlotError
from cnn.preprocessing import decode, pipeline
from cnn.preprocessing.source import ReadOptions, Source

if TYPE_CHECKING:
    from cnn.classifier import Classifier, Prediction

# Characters of a file name in the caption of its image on the contact sheet.
_MAX_CAPTION_NAME = 18


def save_report_plot(
    statistics: RunStatistics,
    title: str,
    classifier: "Classifier",
    path: Path,
    call_plot: CallPlot,
) -> bool:
    """Draws the least confident files, and confusion or confidence per class.

    Prints a warning if the plot cannot be drawn. The rows are whole nevertheless.

    Args:
      statistics: counts of all rows.
      title: title of the plot.
      classifier: classifier that has read the files. It reads those files of the
        contact sheet again that an interrupted run has read.
      path: PNG file to write.
      call_plot: function that `plot_process` yields.

    Returns:
      Whether the plot was drawn.
    """
    try:
        _draw_report(statistics, title, classifier, path, call_plot)
    except (OSError, PlotError) as error:
        reason = getattr(error, "strerror", None) or error
        print(f"warning: {path}: not drawn: {reason}", file=sys.stderr)
        return False
    return True


def _draw_report(
    statistics: RunStatistics,
    title: str,
    classifier: "Classifier",
    path: Path,
    call_plot: CallPlot,
) -> None:
    entries = statistics.contact_sheet
    predictions = [_predict_again(entry, classifier) for entry in entries]
    overlays = [
        _explain_or_blank(prediction, classifier.preprocessing, entry.source)
        for entry, prediction in zip(entries, predictions, strict=True)
    ]
    originals = [overlay.original for overlay in overlays]
    images = np.array([_image_or_blank(prediction) for prediction in predictions])
    captions = [
        _make_caption(entry.name + describe_part(entry.source), entry.prediction)
        for entry in entries
    ]
    if statistics.num_labeled:
        correctness = [entry.is_correct for entry in entries]
        call_plot(
            "plot_labeled_predictions",
            statistics.confusion,
            statistics.class_names,
            originals,
            images,
            list(zip(captions, correctness, strict=True)),
            title,
            path=path,
        )
    else:
        histograms = zip(statistics.class_names, statistics.confidences, strict=True)
        call_plot(
            "plot_predictions",
            originals,
            images,
            captions,
            dict(histograms),
            title,
            path=path,
        )


def _make_caption(name: str, prediction: "Prediction") -> str:
    if len(name) > _MAX_CAPTION_NAME:
        name = "…" + name[1 - _MAX_CAPTION_NAME :]
    mark = "?" if prediction.status == "unsure" else ""
    text = f"read as {prediction.prediction}{mark}, {prediction.confidence:.1%}"
    return f"{make_printable(name)}\n{text}"


def _predict_again(entry: ContactSheetEntry, classifier: "Classifier") -> "Prediction":
    """Returns the prediction with its image, which a resumed row does not have."""
    if entry.prediction.image is not None:
        return entry.prediction
    source = entry.source
    if source.page is None and source.region is None:
        return classifier.predict_files(source.path)[0]
    options = ReadOptions(classifier.preprocessing)
    files = pipeline.preprocess_sources([source], options)
    return classifier.classify([source.path], files)[0]


def _explain_or_blank(
    prediction: "Prediction", preprocessing: str, source: Source
) -> pipeline.Overlay:
    """Returns a source and its ink, or a white image if it cannot be decoded."""
    try:
        return pipeline.explain(source, preprocessing, prediction.candidate)
    except decode.UnreadableImageError:
        white = np.full((28, 28, 3), 255, np.uint8)
        return pipeline.Overlay(white, np.zeros((28, 28), np.float32))


def _image_or_blank(prediction: "Prediction") -> np.ndarray:
    if prediction.image is not None:
        return prediction.image
    return np.zeros(pipeline.IMAGE_SHAPE, np.float32)


def describe_part(source: Source) -> str:
    """Names the page and region of a source, after the name of its file."""
    page = f", page {source.page}" if source.page else ""
    region = source.region.name if source.region else ""
    return page + (f", {region}" if region else "")


def visualization_path(folder: Path, name: str, source: Source) -> Path:
    """Returns the path of the picture of a source: `folder/NAME.png`.

    Names of pages and regions have their number and name before the ending.
    """
    # A file of several inputs may have an absolute name, or one with `..`.
    parts = ["_" if part == ".." else part for part in name.split("/")]
    stem = to_path("/".join(filter(None, parts)))
    if source.page is not None:
        stem += f".{source.page}"
    if source.region is not None and source.region.name:
        stem += "." + source.region.name.replace("/", "_")
    return folder / (stem + ".png")


def save_visualization(
    file: InputFile,
    prediction: "Prediction",
    folder: Path,
    preprocessing: str,
    source: Source | None = None,
) -> None:
    """Draws a file, its ink and the network's input to `folder/NAME.png`.

    Prints a warning if the image cannot be written, for example because its name is
    too long.
    """
    source = source or Source(file.path)
    path = visualization_path(folder, file.name, source)
    overlay = _explain_or_blank(prediction, preprocessing, source)
    name = file.name + describe_part(source)
    caption = _describe_prediction(name, prediction)
    image = _image_or_blank(prediction)
    try:
        from cnn import plots

        path.parent.mkdir(parents=True, exist_ok=True)
        plots.plot_preprocessing(*overlay, image, caption, path)
    except (ImportError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        name = make_printable(str(path))
        print(f"warning: {name}: not drawn: {reason}", file=sys.stderr)


def _describe_prediction(name: str, prediction: "Prediction") -> str:
    text = make_printable(name) + ": "
    if prediction.prediction:
        text += f"read as {prediction.prediction}, {prediction.confidence:.1%}, "
    text += prediction.status
    if prediction.detail:
        text += f" ({prediction.detail})"
    return text


def make_printable(name: str) -> str:
    """Replaces characters that have no glyph, and bytes that are not UTF-8."""
    text = name.encode(errors="replace").decode()
    return "".join(letter if letter.isprintable() else " " for letter in text)
