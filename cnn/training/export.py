"""The end of a run: calibration, test metrics, model file, report and plots."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from scipy.special import softmax

from cnn import calibration, keras_h5
from cnn.config import TrainConfig
from cnn.data import datasets
from cnn.training.metrics import compute_test_report
from cnn.training.train_step import eval_step
from cnn.training.validation_pages import ValidationPages, compute_page_logits
from cnn.training.validation_strings import ValidationString, calibrate_strings
from cnn.training.workdir import PLOT_FILES, Workdir, package_versions


def model_metadata(config: TrainConfig, class_names: tuple[str, ...]) -> dict[str, Any]:
    """Returns the description of a model. Checkpoints and model files contain it."""
    return {
        "dataset": config.dataset,
        "class_names": list(class_names),
        "preprocessing": datasets.preprocessing_for(config.dataset),
        "input": "float32 (28, 28, 1) in [0, 1], background 0",
        "versions": package_versions(),
    }


class Validation(NamedTuple):
    """What a model is calibrated on.

    Attributes:
      dataset: the validation split.
      pages: simulated pages with its characters, or None.
      strings: simulated numbers of its characters.
    """

    dataset: datasets.Dataset
    pages: ValidationPages | None
    strings: Sequence[ValidationString] = ()


def calibrate_params(
    params: Any, logits: np.ndarray, validation: Validation
) -> dict[str, float]:
    """Calibrates parameters.

    Args:
      params: averaged parameters.
      logits: their output for the validation split, `float32 (N, num_classes)`.
      validation: labeled images and pages.

    Returns:
      The result of `cnn.calibration.calibrate`.
    """
    pages = validation.pages
    page_logits = None if pages is None else compute_page_logits(params, pages)
    return calibration.calibrate(logits, validation.dataset.labels, page_logits)


def calibrate_and_export(
    run: Workdir,
    params: Any,
    metadata: dict[str, Any],
    validation: Validation,
    test_set: datasets.Dataset,
) -> dict[str, Any]:
    """Calibrates a model, evaluates it on the test set, and writes all results.

    Args:
      run: opened workdir.
      params: averaged parameters.
      metadata: description of the model, from `model_metadata`.
      validation: labeled images and pages for the calibration.
      test_set: labeled images. This is their only use.

    Returns:
      The content of `report.json`.
    """
    logits, _ = eval_step(params, validation.dataset)
    calibrated = calibrate_params(params, logits, validation)
    params = calibration.apply_temperature(params, calibrated["temperature"])
    logits, test_metrics = eval_step(params, test_set)
    of_strings = calibrate_strings(
        params, validation.strings, tuple(metadata["class_names"])
    )
    if run.is_primary:
        thresholds = {"unsure_below": calibrated["unsure_below"], **of_strings}
        keras_h5.save(run.config.resolved_model, params, metadata | thresholds)
    results = {
        "test": test_metrics | compute_test_report(logits, test_set),
        **_evaluate_pages(params, validation.pages),
        **calibrated,
        **of_strings,
        "parameters": sum(leaf.size for leaf in jax.tree.leaves(params)),
    }
    report = run.write_report(results)
    if run.is_primary:
        _try_to_save_plots(run, test_set, softmax(logits, axis=-1))
    return report


def _evaluate_pages(params: Any, pages: ValidationPages | None) -> dict[str, Any]:
    """Computes accuracy and calibration error on simulated pages, if there are any."""
    if pages is None:
        return {}
    probabilities = calibration.mix_pages(compute_page_logits(params, pages))
    confidence = probabilities.max(-1)
    is_correct = probabilities.argmax(-1) == pages.labels
    error = calibration.expected_calibration_error(confidence, is_correct)
    return {
        "validation_pages": {
            "accuracy": float(is_correct.mean()),
            "expected_calibration_error": error,
        }
    }


def _try_to_save_plots(
    run: Workdir, test_set: datasets.Dataset, probabilities: np.ndarray
) -> None:
    """Saves the plots, or warns: the model and the report are complete without them."""
    try:
        _save_plots(run, test_set, probabilities)
    # A missing font, a full disk, too little memory, a broken matplotlib.
    except Exception as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        run.log(
            f"warning: {run.folder}: the plots are not complete ({reason}); the same "
            "command makes them again"
        )


def _save_plots(
    run: Workdir, test_set: datasets.Dataset, probabilities: np.ndarray
) -> None:
    """Plots training curves, confusion matrix, worst mistakes and reliability."""
    from cnn import plots  # It imports matplotlib, which takes a second.

    paths = [run.folder / name for name in PLOT_FILES]
    curves, confusion, mistakes, reliability = paths
    class_names = test_set.class_names
    labels = test_set.labels
    confidence = probabilities.max(-1)
    is_correct = probabilities.argmax(-1) == labels
    bins = calibration.equal_mass_bins(confidence, is_correct)
    plots.plot_training_curves(run.read_metrics(), curves)
    plots.plot_confusion_matrix(
        labels, probabilities.argmax(-1), class_names, confusion
    )
    plots.plot_top_losses(test_set.images, labels, probabilities, class_names, mistakes)
    plots.plot_reliability_diagram(*bins, reliability)
