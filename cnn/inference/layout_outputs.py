"""What differs between the layouts of a run: columns, labels, statistics, plots."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cnn.config import InferConfig
from cnn.image_files.label_table import FindLabel
from cnn.image_files.labels import find_labels
from cnn.image_files.listing import InputFiles
from cnn.image_files.page_count import Sources
from cnn.inference.number_labels import find_number_labels
from cnn.inference.number_report import (
    save_number_report,
    save_number_visualization,
)
from cnn.inference.number_statistics import NumberStatistics
from cnn.inference.report import save_report_plot, save_visualization
from cnn.inference.row_formats import JsonLinesFormat, RowFormat
from cnn.inference.run_statistics import RunStatistics
from cnn.inference.schema import Schema
from cnn.inference.source_predictions import SourceResult
from cnn.plot_process import CallPlot

if TYPE_CHECKING:
    from cnn.classifier import Classifier

Statistics = RunStatistics | NumberStatistics


def check_class_names(classifier: "Classifier", layout: str) -> None:
    """Checks that a model can read numbers, if the layout asks for them.

    Raises:
      UsageError: it cannot.
    """
    if layout == "character":
        return
    from cnn.number_prediction import check_preprocessing

    check_preprocessing(classifier.preprocessing, layout)
    if any(len(name) > 1 for name in classifier.class_names):
        longest = max(classifier.class_names, key=len)
        print(
            f"note: the model has classes like {longest}; --layout {layout} joins "
            "their names without spaces",
            file=sys.stderr,
        )


def find_labels_of(
    config: InferConfig, files: InputFiles, class_names: tuple[str, ...]
) -> FindLabel | None:
    """Finds the labels that the layout of a run can have."""
    if config.layout == "character":
        return find_labels(files, config.labels, class_names)
    return find_number_labels(files, config.labels, class_names)


def make_schema(
    config: InferConfig,
    class_names: tuple[str, ...],
    row_format: type[RowFormat],
    has_pages: bool,
    has_labels: bool,
) -> Schema:
    """Makes the columns of a run."""
    reads_numbers = config.layout != "character"
    is_json = issubclass(row_format, JsonLinesFormat)
    return Schema(
        class_names=class_names,
        has_labels=has_labels,
        top_k=config.top_k,
        has_probabilities=config.probabilities,
        layout=config.layout,
        has_pages=has_pages,
        has_regions=any(region.name for region in config.regions),
        has_characters=reads_numbers and (config.boxes or is_json),
    )


def source_unit(config: InferConfig, sources: Sources) -> str:
    """Names what is read at a time, in the plural."""
    if len(config.regions) > 1:
        return "regions"
    return "pages" if sources.has_pages else "files"


def speed_unit(unit: str) -> str:
    """Names what a speed counts."""
    return "images" if unit == "files" else unit


def make_statistics(
    config: InferConfig, class_names: tuple[str, ...], sources: Sources
) -> Statistics:
    """Starts the statistics of a run."""
    unit = source_unit(config, sources)
    if config.layout == "character":
        return RunStatistics(class_names, unit)
    return NumberStatistics(unit)


def add_result(statistics: Statistics, result: SourceResult) -> None:
    """Counts what was read of a source."""
    file, source, predictions, label = result
    if isinstance(statistics, NumberStatistics):
        statistics.add(file.name, source, predictions, label)  # type: ignore[arg-type]
        return
    for prediction in predictions:
        statistics.add(file, prediction, label, source)  # type: ignore[arg-type]


def save_report(
    statistics: Statistics,
    classifier: "Classifier",
    config: InferConfig,
    path: Path,
    call_plot: CallPlot,
) -> bool:
    """Draws the report plot, and returns whether it could be drawn."""
    title = statistics.summary
    if isinstance(statistics, NumberStatistics):
        return save_number_report(
            statistics, title, classifier, config, path, call_plot
        )
    return save_report_plot(statistics, title, classifier, path, call_plot)


def save_visualization_of(
    result: SourceResult, folder: Path, classifier: "Classifier", layout: str
) -> None:
    """Draws the picture of a source for `--debug-dir`."""
    if layout != "character":
        save_number_visualization(result, folder)
        return
    for prediction in result.predictions:
        save_visualization(
            result.file,
            prediction,  # type: ignore[arg-type]
            folder,
            classifier.preprocessing,
            result.source,
        )
