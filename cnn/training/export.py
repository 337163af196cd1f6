"""The end of a run: calibration, test metrics, model file and report."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from cnn import calibration, keras_h5
from cnn.classifier import Classifier
from cnn.config import TrainConfig
from cnn.data import datasets
from cnn.training.evaluation import (
    Evaluation,
    evaluate_pictures,
    evaluate_test_sets,
    join_evaluations,
)
from cnn.training.initial_model import digest
from cnn.training.training_data import TrainingData
from cnn.training.validation_pages import ValidationPages, compute_page_logits
from cnn.training.validation_strings import ValidationString, calibrate_strings
from cnn.training.workdir import Workdir, package_versions

# What a model that starts from another one inherits, if it is not fitted anew.
_INHERITED_NAMES = ("string_weights", "string_unsure_below")


def model_metadata(
    config: TrainConfig, data: TrainingData, initial: Classifier | None
) -> dict[str, Any]:
    """Returns the description of a model. Checkpoints and model files contain it.

    Args:
      config: settings.
      data: images of the run.
      initial: the model that training starts from, or None.
    """
    train_set = data.train
    metadata: dict[str, Any] = {
        "dataset": config.dataset,
        "class_names": list(train_set.class_names),
        "preprocessing": train_set.preprocessing,
        "input": "float32 (28, 28, 1) in [0, 1], background 0",
        "versions": package_versions(),
    }
    if data.pictures is not None:
        metadata["images"] = data.describe_pictures()
    if initial is not None and config.init is not None:
        metadata["init"] = config.init.name
        metadata["init_digest"] = digest(initial)
        metadata |= _inherit(initial, train_set)
    return metadata


def _inherit(initial: Classifier, train_set: datasets.Dataset) -> dict[str, Any]:
    """Returns how numbers are read, if the classes and the placement are the same."""
    if (
        initial.class_names != train_set.class_names
        or initial.preprocessing != train_set.preprocessing
    ):
        return {}
    known = initial.metadata
    return {name: known[name] for name in _INHERITED_NAMES if name in known}


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
    logits: np.ndarray,
    metadata: dict[str, Any],
    validation: Validation,
    data: TrainingData,
    initial: Classifier | None = None,
) -> tuple[dict[str, Any], Evaluation]:
    """Calibrates a model, evaluates it on the test set, and writes it and the report.

    Args:
      run: opened workdir.
      params: averaged parameters.
      logits: their output for the validation split, `float32 (N, num_classes)`.
      metadata: description of the model, from `model_metadata`.
      validation: labeled images and pages for the calibration.
      data: images of the run. This is the only use of its test images.
      initial: the model that training started from, or None. It is evaluated on the
        user's pictures, too.

    Returns:
      The content of `report.json`, and the evaluation of the test images.
    """
    calibrated = calibrate_params(params, logits, validation)
    params = calibration.apply_temperature(params, calibrated["temperature"])
    of_strings = calibrate_strings(
        params, validation.strings, tuple(metadata["class_names"])
    )
    metadata |= {"unsure_below": calibrated["unsure_below"], **of_strings}
    classifier = Classifier(params, metadata)
    tests = evaluate_test_sets(classifier, data)
    if run.is_primary:
        keras_h5.save(run.config.resolved_model, params, metadata)
    results = {
        "test": tests[0].report(),
        **_report_pictures(tests[-1], data, initial),
        **_evaluate_pages(params, validation.pages),
        **calibrated,
        **of_strings,
        "parameters": sum(leaf.size for leaf in jax.tree.leaves(params)),
    }
    return run.write_report(results), join_evaluations(tests)


def _report_pictures(
    test: Evaluation, data: TrainingData, initial: Classifier | None
) -> dict[str, Any]:
    """Reports on the user's pictures: how many, which not, and the test of them."""
    if data.pictures is None:
        return {}
    report: dict[str, Any] = {
        "counts": data.pictures.counts(),
        "left_out": [left_out._asdict() for left_out in data.left_out],
        "test": test.report(),
    }
    if initial is not None and initial.class_names == data.train.class_names:
        before = evaluate_pictures(initial, data.pictures.test)
        report["initial_accuracy"] = before.accuracy
    return {"images": report}


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
