"""Training, from top to bottom: an epoch, the evaluation, the run; `cnn.step` is what each repeats."""

import math
from collections.abc import Callable
from time import monotonic
from typing import Any

import flax
import jax
import numpy as np
from jax.experimental import multihost_utils
from scipy.special import softmax
from tqdm import tqdm

from cnn import calibration, checkpoint, keras_h5
from cnn.augmentation import glyphs, outlier_exposure
from cnn.augmentation.simulated_pages import examples
from cnn.classifier import Classifier
from cnn.config import TrainConfig
from cnn.data import datasets
from cnn.errors import Error, UsageError
from cnn.model import summary
from cnn.preprocessing.pipeline import PREPROCESSING
from cnn.training import train_step, workdir

# How often the progress bar and Ctrl-C get their turn on CPU: waiting for them costs speed.
_STEPS_PER_CALL = 32


class TrainingError(Error):
    """A run that cannot go on."""


def train_epoch(
    take_steps: Callable,
    state: train_step.TrainState,
    images: jax.Array,
    targets: jax.Array,
    order: tuple[jax.Array, jax.Array],
    epoch: int,
    config: TrainConfig,
) -> tuple[train_step.TrainState, dict[str, float]]:
    """Goes through all training images once; fewer than a batch are left over, others each time.

    Args:
      take_steps: what `step.compile_steps` returned.
      state: before the epoch.
      images: `uint8 (N, 28, 28, 1)`.
      targets: `float32 (N, num_classes)`.
      order: what `step.epoch_order` drew.
      epoch: its number, from 1.
      config: the settings.

    Returns:
      The new state; and of the epoch, mean `loss` and `accuracy`, and how many `seconds` it took.

    Raises:
      TrainingError: the loss is not finite; it names the step.
    """
    start, total = monotonic(), len(images) // config.batch_size
    # On an accelerator, which computes whole batches, an epoch is one call.
    at_once = _STEPS_PER_CALL if state.lowering.piece else total
    totals = train_step.replicate(train_step.EpochMetrics())
    with tqdm(
        total=total, desc=f"epoch {epoch}", unit=" steps", leave=False, disable=None
    ) as progress:
        for done in range(0, total, at_once):
            count = min(at_once, total - done)
            state, totals = take_steps(
                state, totals, np.int32(count), images, targets, *order
            )
            _check_finite(float(totals.loss), epoch, int(totals.bad_step))
            progress.update(count)
    loss, accuracy = (
        float(totals.loss) / total,
        float(totals.right) / max(1.0, float(totals.counted)),
    )
    return state, {"loss": loss, "accuracy": accuracy, "seconds": monotonic() - start}


def _check_finite(loss: float, epoch: int, bad_step: int) -> None:
    if not math.isfinite(loss):
        raise TrainingError(
            f"the loss is {loss} at step {bad_step} of epoch {epoch}; the run is stopped, the "
            "checkpoints of earlier epochs are kept; try a lower --learning-rate with --restart"
        )


def predict_logits(params: Any, dataset: datasets.Dataset) -> np.ndarray:
    """Computes the logits of every example, `float32 (N, num_classes)`, with the code that reads folders."""
    return Classifier(params, {"class_names": dataset.class_names}).logits(
        dataset.images
    )


def compute_metrics(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Compares `float32 (N, num_classes)` logits with `(N,)` labels: mean `loss` and `accuracy`."""
    accuracy = float((logits.argmax(-1) == labels).mean())
    return {
        "loss": calibration.mean_cross_entropy(logits, labels),
        "accuracy": accuracy,
    }


def train_validation_split(
    dataset: datasets.Dataset, config: TrainConfig
) -> tuple[datasets.Dataset, datasets.Dataset]:
    """Sets examples aside for validation, drawn by the seed; the rest is for training.

    Raises:
      cnn.UsageError: a batch would not fit.
    """
    order = np.random.default_rng(config.seed).permutation(len(dataset.labels))
    held_out = min(config.validation_size, max(1, len(order) // 10))
    if (
        config.batch_size > len(order) - held_out
        or config.batch_size % jax.device_count()
    ):
        raise UsageError(
            f"--batch-size: expected at most the {len(order) - held_out} training images, and a "
            f"multiple of the {jax.device_count()} devices, got {config.batch_size}"
        )
    parts = np.sort(order[held_out:]), np.sort(order[:held_out])
    train, validation = [
        dataset._replace(images=dataset.images[p], labels=dataset.labels[p])
        for p in parts
    ]
    return train, validation


def train(config: TrainConfig) -> dict[str, Any]:
    """Trains, or continues to train, and leaves the model and the story of the run.

    Args:
      config: the settings.

    Returns:
      What `report.json` says.

    Raises:
      cnn.Error: in one line, why the run could not be made or finished.
    """
    if config.distributed:
        jax.distributed.initialize()
    with workdir.open_workdir(config) as run:
        train_set, test_set = datasets.load_train_and_test(
            config.dataset, config.data_dir
        )
        train_set, validation = train_validation_split(train_set, config)
        about = model_metadata(config, train_set.class_names)
        if (
            config.restart
        ):  # Only now, when nothing is wrong with the settings any more.
            run.forget()
        if (
            config.distributed
        ):  # No host may look for a checkpoint before the first has forgotten it.
            multihost_utils.sync_global_devices("workdir")
        run.tell(summary(len(train_set.class_names)))
        state = train_and_evaluate(config, run, train_set, validation, about)
        return calibrate_and_export(
            config, run, jax.device_get(state.ema_params), about, validation, test_set
        )


def make_training_examples(
    dataset: datasets.Dataset, config: TrainConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Gives what is to be learned: the images, digits in other hands, simulated pages, pictures of no class.

    Returns:
      `uint8 (N, 28, 28, 1)`, and of each a probability for each class, `float32 (N, num_classes)`.
    """
    count, classes = (
        len(dataset.labels),
        np.eye(len(dataset.class_names), dtype=np.float32),
    )
    parts = [(dataset.images, classes[dataset.labels])]
    if config.synthetic_glyph_fraction and dataset.class_names == tuple("0123456789"):
        pictures, labels = glyphs.make_glyphs(
            config.seed, round(config.synthetic_glyph_fraction * count)
        )
        parts.append((pictures, classes[labels]))
    ways = datasets.preprocessing_for(config.dataset)
    if config.simulated_page_fraction and PREPROCESSING[ways]:
        characters, answers = _concatenate(parts)
        parts.append(
            examples.make_page_examples(
                config.seed,
                characters,
                answers,
                round(config.simulated_page_fraction * count),
                ways,
            )
        )
    if config.outlier_fraction:
        letters = all(name.isdigit() for name in dataset.class_names)
        parts.append(
            outlier_exposure.make_outliers(
                config.seed, *parts[0], round(config.outlier_fraction * count), letters
            )
        )
    return _concatenate(parts)


def _concatenate(
    parts: list[tuple[np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray]:
    pictures, targets = zip(*parts, strict=True)
    return np.concatenate(pictures), np.concatenate(targets)


def train_and_evaluate(
    config: TrainConfig,
    run: workdir.Workdir,
    train_set: datasets.Dataset,
    validation: datasets.Dataset,
    about: dict,
) -> train_step.TrainState:
    """Trains for the epochs that are still to do, and leaves a row and a checkpoint of each."""
    images, targets = train_step.replicate(make_training_examples(train_set, config))
    steps = len(images) // config.batch_size
    state = train_step.replicate(
        train_step.create_state(config, len(train_set.class_names), steps)
    )
    state, done = restore_latest(run, state)
    run.begin(done)
    take_steps = train_step.compile_steps(state, images, targets, config)
    rate_at = jax.jit(train_step.learning_rate(config, steps))
    with checkpoint.open_manager(run.checkpoints) as checkpoints:
        for epoch in range(done + 1, config.epochs + 1):
            order = train_step.epoch_permutation(config.seed, epoch, len(images))
            state, trained = train_epoch(
                take_steps, state, images, targets, order, epoch, config
            )
            logits = predict_logits(jax.device_get(state.ema_params), validation)
            validated = compute_metrics(logits, validation.labels)
            _check_finite(validated["loss"], epoch, steps)
            rate = float(rate_at(epoch * steps))
            run.add_epoch(
                epoch, trained, validated, rate, images=steps * config.batch_size
            )
            known = about | calibration.calibrate(logits, validation.labels)
            arrays = flax.serialization.to_state_dict(state)
            checkpoint.save(checkpoints, epoch, arrays, known, validated["accuracy"])
    return state


def restore_latest(
    run: workdir.Workdir, state: train_step.TrainState
) -> tuple[train_step.TrainState, int]:
    """Takes the newest checkpoint of the run in place of `state`, if there is one.

    Returns:
      The state, and how many epochs it has behind it.
    """
    epoch = checkpoint.latest_epoch(run.checkpoints)
    if epoch is None:
        return state, 0
    arrays, _ = checkpoint.restore(
        run.checkpoints, epoch, flax.serialization.to_state_dict(state)
    )
    return flax.serialization.from_state_dict(state, arrays), epoch


def model_metadata(config: TrainConfig, class_names: tuple[str, ...]) -> dict[str, Any]:
    """Says what the model is for; it travels in the checkpoints and in the model file."""
    return {
        "dataset": config.dataset,
        "class_names": list(class_names),
        "preprocessing": datasets.preprocessing_for(config.dataset),
        "input": "float32 (28, 28, 1) in [0, 1], background 0",
        "versions": workdir.versions(),
    }


def calibrate_and_export(
    config: TrainConfig,
    run: workdir.Workdir,
    params: Any,
    about: dict,
    validation: datasets.Dataset,
    test_set: datasets.Dataset,
) -> dict[str, Any]:
    """Calibrates on validation; reads the test split, this once; writes model, report and plots."""
    calibrated = calibration.calibrate(
        predict_logits(params, validation), validation.labels
    )
    params = calibration.apply_temperature(params, calibrated["temperature"])
    logits = predict_logits(params, test_set)
    if jax.process_index() == 0:
        keras_h5.save(
            config.resolved_model,
            params,
            about | {"unsure_below": calibrated["unsure_below"]},
        )
        run.draw(test_set, softmax(logits, axis=-1))
    parameters = sum(leaf.size for leaf in jax.tree.leaves(params))
    test = compute_metrics(logits, test_set.labels) | test_metrics(logits, test_set)
    return run.report({"test": test, **calibrated, "parameters": parameters})


def test_metrics(logits: np.ndarray, dataset: datasets.Dataset) -> dict[str, Any]:
    """Compares logits with labels: calibration error, accuracy by class, confusion matrix."""
    probabilities, guesses = softmax(logits, axis=-1), logits.argmax(-1)
    confusion = np.zeros(2 * [len(dataset.class_names)], int)
    np.add.at(confusion, (dataset.labels, guesses), 1)
    by_class = np.diag(confusion) / np.maximum(1, confusion.sum(1))
    return {
        "expected_calibration_error": calibration.expected_calibration_error(
            probabilities.max(-1), guesses == dataset.labels
        ),
        "accuracy_by_class": dict(
            zip(dataset.class_names, by_class.tolist(), strict=True)
        ),
        "confusion": confusion.tolist(),
    }
