"""The training loop: a run, its epochs, validation and checkpoints.

`cnn.training.train_step` defines the step that the loop repeats.
"""

import math
from time import monotonic
from typing import Any

import flax
import jax
import numpy as np
from jax.sharding import Sharding

from cnn import checkpoint
from cnn.classifier import Classifier
from cnn.config import TrainConfig
from cnn.data import datasets
from cnn.data.data_folder import given_folder
from cnn.data.pictures import check_folder
from cnn.errors import Error
from cnn.model import CNN, summary
from cnn.progress_bar import tqdm
from cnn.training import multihost
from cnn.training.compile import initialize_state, select_backend
from cnn.training.epoch_data import (
    EpochData,
    RunSteps,
    count_steps,
    replicate,
    shuffle_epoch,
)
from cnn.training.export import (
    Validation,
    calibrate_and_export,
    calibrate_params,
    model_metadata,
)
from cnn.training.initial_model import load_initial_model, start_from
from cnn.training.metrics import EpochMetrics
from cnn.training.resume_checks import check_same_inputs
from cnn.training.train_step import TrainState, eval_step, learning_rate
from cnn.training.training_data import load_training_data
from cnn.training.training_set import make_training_examples
from cnn.training.validation_pages import make_validation_pages
from cnn.training.validation_strings import make_validation_strings
from cnn.training.workdir import Workdir, open_workdir


class TrainingError(Error):
    """A run that cannot continue."""


def train(config: TrainConfig) -> dict[str, Any] | None:
    """Trains a model, or resumes its training, and exports it.

    The workdir then holds settings, metrics, checkpoints, plots and `report.json`.

    Args:
      config: settings.

    Returns:
      The content of `report.json`, or None in processes other than the first.

    Raises:
      cnn.Error: the run cannot start or finish. The message is one line.
    """
    # Before anything is written.
    given_folder(config.data_dir)
    check_folder(config.images)
    with multihost.connect(config), open_workdir(config) as run:
        multihost.check_shared_folder(run.folder)
        initial = load_initial_model(config.init)
        data = load_training_data(config, initial)
        metadata = model_metadata(config, data, initial)
        # All settings are valid here, so it is safe to delete the earlier run.
        if config.restart:
            run.clear()
        run.log(summary(len(data.train.class_names)))
        pages = make_validation_pages(data.validation, config)
        strings = make_validation_strings(data.validation, config)
        validation = Validation(data.validation, pages, strings)
        state = train_and_evaluate(
            config, run, data.train, validation, metadata, initial
        )
        if not run.is_primary:
            return None
        params = jax.device_get(state.ema_params)
        return calibrate_and_export(run, params, metadata, validation, data, initial)


def train_and_evaluate(
    config: TrainConfig,
    run: Workdir,
    train_set: datasets.Dataset,
    validation: Validation,
    metadata: dict[str, Any],
    initial: Classifier | None = None,
) -> TrainState:
    """Runs the remaining epochs. Each ends with a validation and a checkpoint.

    Args:
      config: settings.
      run: opened workdir.
      train_set: labeled images to learn.
      validation: labeled images to evaluate after each epoch, and pages.
      metadata: description of the model, for the checkpoints.
      initial: the model to start from, or None for random parameters.

    Returns:
      The state after the last epoch.
    """
    model = CNN(len(train_set.class_names), dtype=config.compute_dtype)
    backend = select_backend(model)
    examples = make_training_examples(train_set, config)
    images, targets = replicate(examples, backend.sharding)
    num_steps = count_steps(len(images), config)
    state = initialize_state(backend, model, config, num_steps)
    if initial is not None:
        state = start_from(state, initial, train_set.class_names, backend.sharding)
    state, last_epoch = restore_latest(run, state, backend.sharding, metadata)
    run.start(last_epoch)
    data = shuffle_epoch(config.seed, last_epoch + 1, images, targets)
    run_steps = backend.compile_steps(state, data, config)
    schedule = jax.jit(learning_rate(config, num_steps))
    with run.open_checkpoints() as checkpoints:
        for epoch in range(last_epoch + 1, config.epochs + 1):
            data = shuffle_epoch(config.seed, epoch, images, targets)
            state, train_metrics = train_epoch(
                run_steps, state, data, epoch, backend.steps_per_call
            )
            params = jax.device_get(state.ema_params)
            logits, val_metrics = eval_step(params, validation.dataset)
            _check_finite(val_metrics["loss"], epoch, num_steps)
            rate = float(schedule(epoch * num_steps))
            num_images = num_steps * config.batch_size
            run.log_epoch(epoch, train_metrics, val_metrics, rate, num_images)
            if checkpoints is None:  # The first process saves.
                continue
            calibrated = calibrate_params(params, logits, validation)
            checkpoint.save(
                checkpoints,
                epoch,
                flax.serialization.to_state_dict(state),
                metadata | calibrated,
                val_metrics["accuracy"],
            )
    return state


def train_epoch(
    run_steps: RunSteps,
    state: TrainState,
    data: EpochData,
    epoch: int,
    steps_per_call: int | None,
) -> tuple[TrainState, dict[str, float]]:
    """Runs the steps of an epoch. The examples after the last whole batch are left out.

    Args:
      run_steps: compiled steps.
      state: state before the epoch.
      data: examples of the epoch, in their order.
      epoch: number of the epoch, from 1.
      steps_per_call: number of steps between updates of the progress bar, or None for
        all steps in one call.

    Returns:
      The new state, and the mean `loss`, the `accuracy` and the `seconds` of the epoch.

    Raises:
      TrainingError: the loss is not finite. The message names the step.
    """
    start = monotonic()
    num_steps = state.steps_per_epoch
    stride = steps_per_call or num_steps
    totals = replicate(EpochMetrics(), data.order.sharding)
    with tqdm(
        total=num_steps, desc=f"epoch {epoch}", unit=" steps", leave=False, disable=None
    ) as progress:
        for done in range(0, num_steps, stride):
            count = min(stride, num_steps - done)
            state, totals = run_steps(state, totals, np.int32(count), data)
            first_nonfinite_step = int(totals.first_nonfinite_step)
            _check_finite(float(totals.loss_sum), epoch, first_nonfinite_step)
            progress.update(count)
    loss = float(totals.loss_sum) / num_steps
    accuracy = float(totals.num_correct) / max(1.0, float(totals.num_examples))
    seconds = monotonic() - start
    return state, {"loss": loss, "accuracy": accuracy, "seconds": seconds}


def _check_finite(loss: float, epoch: int, step: int) -> None:
    if not math.isfinite(loss):
        raise TrainingError(
            f"the loss is {loss} at step {step} of epoch {epoch}; the run is stopped, "
            "the checkpoints of earlier epochs are kept; try a lower --learning-rate "
            "with --restart"
        )


def restore_latest(
    run: Workdir, state: TrainState, sharding: Sharding, metadata: dict[str, Any]
) -> tuple[TrainState, int]:
    """Restores the newest checkpoint of a run.

    Args:
      run: opened workdir.
      state: initial state. It is returned when the run has no checkpoint.
      sharding: of the state.
      metadata: description of the model. That of the checkpoint must have the same
        pictures and initial model.

    Returns:
      The state, and the number of epochs that it was trained for.

    Raises:
      WorkdirError: the run has learned from other pictures, or started from another
        model.
    """
    # All processes restore the newest checkpoint that the first process sees.
    epoch = multihost.broadcast(checkpoint.latest_epoch(run.checkpoints) or 0)
    if not epoch:
        return state, 0
    target = jax.device_get(flax.serialization.to_state_dict(state))
    arrays, saved = checkpoint.restore(run.checkpoints, epoch, target)
    check_same_inputs(run.folder, metadata, saved)
    restored = replicate(arrays, sharding)
    return flax.serialization.from_state_dict(state, restored), epoch
