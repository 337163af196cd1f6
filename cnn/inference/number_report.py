"""Plots of a run that reads numbers."""

from pathlib import Path
from typing import TYPE_CHECKING

from cnn.config import InferConfig
from cnn.inference.number_statistics import NumberStatistics
from cnn.inference.plot_process import CallPlot
from cnn.inference.source_predictions import SourceResult

if TYPE_CHECKING:
    from cnn.classifier import Classifier


def save_number_report(
    statistics: NumberStatistics,
    title: str,
    classifier: "Classifier",
    config: InferConfig,
    path: Path,
    call_plot: CallPlot,
) -> bool:
    """Draws the least confident numbers, and accuracy by length."""
    return False


def save_number_visualization(result: SourceResult, folder: Path) -> None:
    """Draws the numbers of a source."""
