"""The definition of training: state, learning-rate schedule, loss, step and evaluation.

`cnn.training.compile` runs these functions. On CPU it computes the same step in a
faster way, and a test compares the two.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import flax
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax.training import train_state

from cnn.classifier import Classifier
from cnn.config import TrainConfig
from cnn.data import Dataset
from cnn.model import CNN
from cnn.training.augment_batch import (
    AugmentationParams,
    augment_batch,
    sample_augmentation,
)
from cnn.training.metrics import StepMetrics, compute_metrics
from cnn.training.muon import is_kernel, muon


class TrainState(train_state.TrainState):
    """Flax's training state with averaged parameters.

    Attributes:
      ema_params: exponential moving average of `params`. It is evaluated and exported.
      steps_per_epoch: number of steps in an epoch.
      forgets_initial_params: whether the average soon forgets the parameters that it
        begins with, because they are random.
    """

    ema_params: Any
    steps_per_epoch: int = flax.struct.field(pytree_node=False)
    forgets_initial_params: bool = flax.struct.field(pytree_node=False, default=True)


class Batch(NamedTuple):
    """The examples of one step."""

    images: jax.Array  # `uint8 (batch, 28, 28, 1)`
    targets: jax.Array  # class probabilities, `float32 (batch, num_classes)`


def create_state(
    key: jax.Array, model: CNN, config: TrainConfig, steps_per_epoch: int
) -> TrainState:
    """Initializes the parameters, and the optimizer with weight decay of kernels."""
    params = model.init(key, jnp.zeros((1, 28, 28, 1)))["params"]
    schedule = learning_rate(config, steps_per_epoch)
    return TrainState.create(
        apply_fn=model.apply,
        params=params,
        tx=_make_optimizer(config, schedule),
        ema_params=params,
        steps_per_epoch=steps_per_epoch,
    )


def _make_optimizer(
    config: TrainConfig, schedule: optax.Schedule
) -> optax.GradientTransformation:
    if config.optimizer == "muon":
        return muon(schedule, config.weight_decay)
    return optax.adamw(schedule, weight_decay=config.weight_decay, mask=is_kernel)


def learning_rate(config: TrainConfig, steps_per_epoch: int) -> optax.Schedule:
    """Returns the schedule: linear warm-up from 0, then cosine decay to 0."""
    num_steps = config.epochs * steps_per_epoch
    warmup_steps = round(config.warmup_fraction * num_steps)
    decay_steps = max(num_steps, warmup_steps + 1)
    return optax.warmup_cosine_decay_schedule(
        0.0, config.learning_rate, warmup_steps, decay_steps
    )


def loss_fn(
    params: Any, apply_fn: Callable, images: jax.Array, targets: jax.Array
) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    """Computes the softmax cross-entropy, summed over a batch.

    Args:
      params: parameters of the network.
      apply_fn: `CNN.apply` or an equivalent function.
      images: augmented images, `float32 (batch, 28, 28, 1)` in [0, 1].
      targets: probability of each class, `float32 (batch, num_classes)`. All zeros
        make an example contribute nothing.

    Returns:
      The loss in nats, and the pair `(num_correct, num_examples)` of `StepMetrics`.
    """
    logits = apply_fn({"params": params}, images)
    losses = optax.softmax_cross_entropy(logits, targets)
    has_class = targets.max(-1) > 0.5
    has_class = has_class.astype(jnp.float32)
    is_correct = logits.argmax(-1) == targets.argmax(-1)
    num_correct = has_class @ is_correct.astype(jnp.float32)
    return losses.sum(), (num_correct, has_class.sum())


def train_step(
    state: TrainState, batch: Batch, key: jax.Array, config: TrainConfig
) -> tuple[TrainState, StepMetrics]:
    """Augments a batch, and updates the parameters and their average.

    Args:
      state: state before the step.
      batch: `config.batch_size` examples.
      key: random key of the epoch.
      config: settings.
    """
    params = sample_step_augmentation(state, key, config)
    images = augment_batch(batch.images, params)
    grad_fn = jax.value_and_grad(loss_fn, has_aux=True)
    sums, grads = grad_fn(state.params, state.apply_fn, images, batch.targets)
    return apply_gradients(state, sums, grads, config)


def sample_step_augmentation(
    state: TrainState, key: jax.Array, config: TrainConfig
) -> AugmentationParams:
    """Samples the augmentation of a step. The step's key is folded from the epoch's."""
    progress = state.step / (config.epochs * state.steps_per_epoch)
    step_key = jax.random.fold_in(key, state.step)
    return sample_augmentation(step_key, config, progress)


def apply_gradients(
    state: TrainState, sums: tuple, grads: Any, config: TrainConfig
) -> tuple[TrainState, StepMetrics]:
    """Divides the sums by the batch size, and updates the parameters."""
    loss_sum, (num_correct, num_examples) = sums
    loss = loss_sum / config.batch_size
    grads = jax.tree.map(lambda grad: grad / config.batch_size, grads)
    state = state.apply_gradients(grads=grads)
    state = state.replace(ema_params=update_ema(state, config.ema_decay))
    return state, StepMetrics(loss, num_correct, num_examples)


def update_ema(state: TrainState, max_decay: float) -> Any:
    """Averages the parameters. The decay grows, to forget random initial parameters.

    Those of a model that is fine-tuned keep a part in the average, by which it still
    reads what it read before (Wortsman et al., "Robust fine-tuning of zero-shot
    models", 2022).
    """
    decay = jnp.float32(max_decay)
    if state.forgets_initial_params:
        # The rule of TensorFlow's ExponentialMovingAverage with `num_updates`.
        warmup_decay = (1.0 + state.step) / (10.0 + state.step)
        decay = jnp.minimum(max_decay, warmup_decay)
    return optax.incremental_update(state.params, state.ema_params, 1 - decay)


def eval_step(params: Any, dataset: Dataset) -> tuple[np.ndarray, dict[str, float]]:
    """Computes logits, loss and accuracy with the code that classifies files."""
    classifier = Classifier(params, {"class_names": dataset.class_names})
    logits = classifier.logits(dataset.images)
    return logits, compute_metrics(logits, dataset.labels)
