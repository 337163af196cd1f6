"""Training, from top to bottom: the state, the step, an epoch, the run."""

import math
from functools import partial
from time import monotonic
from typing import Any, NamedTuple

import flax
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax.training import train_state
from jax import lax
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from tqdm import tqdm

import cnn
from cnn import augment, checkpoint, data, keras_h5, lowering, workdir
from cnn.classifier import Classifier
from cnn.config import TrainConfig
from cnn.lowering import Lowering
from cnn.model import CNN, summary

# How many steps are one call on CPU: few enough for the progress bar and Ctrl-C, many enough for speed.
_STEPS_A_CALL = 32


class TrainingError(cnn.Error):
    """A run that cannot go on."""


class TrainState(train_state.TrainState):
    """Flax's step, parameters and optimiser state, and the average of the parameters.

    Attributes:
      ema_params: exponential moving average of `params`, which is evaluated and exported.
      lowering: how the network is computed.
    """

    ema_params: Any
    lowering: Lowering = flax.struct.field(pytree_node=False)


class Totals(NamedTuple):
    """What the steps of an epoch add up to.

    Attributes:
      loss: sum of the mean losses of the batches.
      accuracy: sum of their accuracies.
      bad_step: the first step, from 1, whose loss is not finite; 0 for none.
    """

    loss: jax.Array
    accuracy: jax.Array
    bad_step: jax.Array


def create_state(config: TrainConfig, num_classes: int, steps_per_epoch: int) -> TrainState:
    """Draws the initial parameters, and sets up Adam.

    Args:
      config: the settings.
      num_classes: how many outputs the network has.
      steps_per_epoch: which the learning rate's schedule counts by.
    """
    model = CNN(num_classes, dtype=config.dtype)
    how = lowering.choose(model)
    tx = optax.adam(learning_rate(config, steps_per_epoch))

    @jax.jit  # One compilation instead of one for each operation.
    def create(key: jax.Array) -> TrainState:
        params = model.init(key, jnp.zeros((1, 28, 28, 1)))["params"]
        return TrainState.create(apply_fn=how.logits, params=params, tx=tx, ema_params=params, lowering=how)

    return create(jax.random.key(config.seed))


def learning_rate(config: TrainConfig, steps_per_epoch: int) -> optax.Schedule:
    """Returns the learning rate as a function of the step: a linear rise, then a cosine to 0."""
    steps = config.epochs * steps_per_epoch
    rise = round(config.warmup * steps)
    return optax.warmup_cosine_decay_schedule(0.0, config.learning_rate, rise, max(steps, rise + 1))


def summed_loss(
    distort: Any,
    apply_fn: Any,
    params: Any,
    images: jax.Array,
    maps: jax.Array,
    labels: jax.Array,
    weights: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    """Computes the categorical cross-entropy of distorted images, summed over the batch.

    Args:
      distort: from images and maps to images.
      apply_fn: from parameters and images to logits.
      params: of the network.
      images: `uint8 (batch, 28, 28, 1)`.
      maps: `float32 (batch, 2, 3)`, how each image is distorted.
      labels: `int32 (batch,)`.
      weights: `float32 (batch,)`, 0 for an example that does not count.

    Returns:
      The sum of the losses, and how many predictions were right.
    """
    distorted = distort(images.astype(jnp.float32) / 255, maps)
    logits = apply_fn(params, distorted)
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
    return weights @ losses, weights @ (logits.argmax(-1) == labels).astype(jnp.float32)


@partial(jax.jit, static_argnames="config", donate_argnames=("state", "totals"))
def train_steps(
    state: TrainState,
    totals: Totals,
    count: int,
    images: jax.Array,
    labels: jax.Array,
    key: jax.Array,
    order: jax.Array,
    config: TrainConfig,
) -> tuple[TrainState, Totals]:
    """Takes the next batches of an epoch, in one call.

    Args:
      state: its memory is used again, so it is gone afterwards.
      totals: of the epoch's steps so far; likewise.
      count: how many steps to take.
      images: `uint8 (N, 28, 28, 1)`, all training images.
      labels: `int32 (N,)`.
      key: of this epoch.
      order: `int32 (N,)`, in which the epoch takes the images.
      config: the settings.

    Returns:
      The new state and totals.
    """

    def step(_: int, carry: tuple[TrainState, Totals]) -> tuple[TrainState, Totals]:
        state, totals = carry
        number = state.step % (len(order) // config.batch_size) + 1
        state, loss, accuracy = train_step(state, images, labels, key, order, config)
        first_bad = jnp.where(jnp.isfinite(loss) | (totals.bad_step > 0), totals.bad_step, number)
        return state, Totals(totals.loss + loss, totals.accuracy + accuracy, first_bad)

    return lax.fori_loop(0, count, step, (state, totals))


def train_step(
    state: TrainState,
    images: jax.Array,
    labels: jax.Array,
    key: jax.Array,
    order: jax.Array,
    config: TrainConfig,
) -> tuple[TrainState, jax.Array, jax.Array]:
    """Takes the next batch of an epoch and updates the parameters.

    Args:
      state: before the step.
      images: `uint8 (N, 28, 28, 1)`, all training images.
      labels: `int32 (N,)`.
      key: of this epoch.
      order: `int32 (N,)`, in which the epoch takes the images.
      config: the settings.

    Returns:
      The new state, and the mean loss and accuracy of the batch.
    """
    size = config.batch_size
    start = state.step % (len(order) // size) * size
    batch = _over_devices(lax.dynamic_slice(order, (start,), (size,)))
    affine = augment.Affine(config.rotation, config.scale, config.shear, config.shift)
    maps = augment.draw(jax.random.fold_in(key, state.step), size, affine)
    distort = augment.warp if any(affine) else lambda images, _: images
    gradient = jax.value_and_grad(partial(summed_loss, distort, state.apply_fn), has_aux=True)
    (loss, right), grads = lowering.accumulate(gradient, state.lowering)(
        state.params, images[batch], maps, labels[batch], jnp.ones(size)
    )
    state = state.apply_gradients(grads=jax.tree.map(lambda g: g / size, grads))
    # A young average forgets faster, or it would remember the initial parameters for long.
    decay = jnp.minimum(config.ema_decay, (1.0 + state.step) / (10.0 + state.step))
    ema_params = optax.incremental_update(state.params, state.ema_params, 1 - decay)
    return state.replace(ema_params=ema_params), loss / size, right / size


def _sharding(*axes: str) -> NamedSharding:
    """Says how an array lies on the devices of all hosts: split along `axes`, or copied to each."""
    return NamedSharding(Mesh(np.array(jax.devices()), ("batch",)), PartitionSpec(*axes))


def _over_devices(batch: jax.Array) -> jax.Array:
    """Gives each device its share of a batch; XLA then adds up their gradients."""
    return lax.with_sharding_constraint(batch, _sharding("batch"))


def _everywhere(tree: Any) -> Any:
    """Copies arrays to every device."""
    return jax.device_put(tree, _sharding())


def epoch_order(seed: int, epoch: int, count: int) -> tuple[jax.Array, jax.Array]:
    """Draws an epoch's key, and the order `int32 (count,)` in which it takes the images."""
    key = jax.random.fold_in(jax.random.key(seed), epoch)
    return _everywhere((key, jax.random.permutation(key, count)))


def _no_totals() -> Totals:
    return _everywhere(Totals(jnp.zeros(()), jnp.zeros(()), jnp.zeros((), jnp.int32)))


def train_epoch(
    steps: Any, state: TrainState, images: jax.Array, labels: jax.Array, epoch: int, config: TrainConfig
) -> tuple[TrainState, dict[str, float]]:
    """Goes through all training images once; fewer than a batch are left over, others each time.

    Args:
      steps: `train_steps`, compiled.
      state: before the epoch.
      images: `uint8 (N, 28, 28, 1)`.
      labels: `int32 (N,)`.
      epoch: its number, from 1.
      config: the settings.

    Returns:
      The new state; and of the epoch, mean `loss` and `accuracy`, and how many `seconds` it took.

    Raises:
      TrainingError: the loss is not finite; it names the step.
    """
    start, total = monotonic(), len(images) // config.batch_size
    key, order = epoch_order(config.seed, epoch, len(images))
    # On an accelerator, which computes whole batches, an epoch is one call.
    at_once = _STEPS_A_CALL if state.lowering.piece else total
    totals = _no_totals()
    with tqdm(total=total, desc=f"epoch {epoch}", unit=" steps", leave=False, disable=None) as progress:
        for done in range(0, total, at_once):
            count = min(at_once, total - done)
            state, totals = steps(state, totals, np.int32(count), images, labels, key, order)
            _check_finite(float(totals.loss), epoch, int(totals.bad_step))
            progress.update(count)
    loss, accuracy = float(totals.loss) / total, float(totals.accuracy) / total
    return state, {"loss": loss, "accuracy": accuracy, "seconds": monotonic() - start}


def _check_finite(loss: float, epoch: int, step: int) -> None:
    if not math.isfinite(loss):
        raise TrainingError(
            f"the loss is {loss} at step {step} of epoch {epoch}; the run is stopped, the "
            "checkpoints of earlier epochs are kept; try a lower --learning-rate with --restart"
        )


def evaluate(params: Any, dataset: data.Dataset) -> dict[str, float]:
    """Computes mean loss and accuracy over every example, with the code that reads folders."""
    return scores(Classifier(params, {"class_names": dataset.class_names}).logits(dataset.images), dataset)


def scores(logits: np.ndarray, dataset: data.Dataset) -> dict[str, float]:
    """Compares `float32 (N, num_classes)` logits with the labels: mean `loss` and `accuracy`."""
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, dataset.labels)
    right = logits.argmax(-1) == dataset.labels
    return {"loss": float(np.mean(np.asarray(losses), dtype=np.float64)), "accuracy": float(np.mean(right))}


def split(dataset: data.Dataset, config: TrainConfig) -> tuple[data.Dataset, data.Dataset]:
    """Sets examples aside for validation, drawn by the seed; the rest is for training.

    Raises:
      cnn.UsageError: a batch would not fit.
    """
    order = np.random.default_rng(config.seed).permutation(len(dataset.labels))
    held_out = min(config.validation_size, max(1, len(order) // 10))
    if config.batch_size > len(order) - held_out or config.batch_size % jax.device_count():
        raise cnn.UsageError(
            f"--batch-size: expected at most the {len(order) - held_out} training images, and a "
            f"multiple of the {jax.device_count()} devices, got {config.batch_size}"
        )
    parts = np.sort(order[held_out:]), np.sort(order[:held_out])
    train, validation = [dataset._replace(images=dataset.images[p], labels=dataset.labels[p]) for p in parts]
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
    with workdir.opened(config) as run:
        train_set, test_set = data.train_and_test(config.dataset, config.data_dir)
        train_set, validation = split(train_set, config)
        about = describe(config, train_set.class_names)
        if config.restart:  # Only now, when nothing is wrong with the settings any more.
            run.forget()
        if config.distributed:  # No host may look for a checkpoint before the first has forgotten it.
            multihost_utils.sync_global_devices("workdir")
        run.tell(summary(len(train_set.class_names)))
        state = fit(config, run, train_set, validation, about)
        return finish(config, run, jax.device_get(state.ema_params), about, test_set)


def fit(
    config: TrainConfig, run: workdir.Workdir, train_set: data.Dataset, validation: data.Dataset, about: dict
) -> TrainState:
    """Trains for the epochs that are still to do, and leaves a row and a checkpoint of each."""
    images, labels = _everywhere((train_set.images, train_set.labels))
    steps = len(labels) // config.batch_size
    state = _everywhere(create_state(config, len(train_set.class_names), steps))
    state, done = resume(run, state)
    run.begin(done)
    order = epoch_order(config.seed, 1, len(labels))
    compiled = train_steps.lower(state, _no_totals(), np.int32(0), images, labels, *order, config).compile()
    with checkpoint.manager(run.checkpoints) as checkpoints:
        for epoch in range(done + 1, config.epochs + 1):
            state, trained = train_epoch(compiled, state, images, labels, epoch, config)
            validated = evaluate(jax.device_get(state.ema_params), validation)
            _check_finite(validated["loss"], epoch, steps)
            rate = float(learning_rate(config, steps)(epoch * steps))
            run.add_epoch(epoch, trained, validated, rate, images=steps * config.batch_size)
            arrays = flax.serialization.to_state_dict(state)
            checkpoint.save(checkpoints, epoch, arrays, about, validated["accuracy"])
    return state


def resume(run: workdir.Workdir, state: TrainState) -> tuple[TrainState, int]:
    """Takes the newest checkpoint of the run in place of `state`, if there is one.

    Returns:
      The state, and how many epochs it has behind it.
    """
    epoch = checkpoint.latest(run.checkpoints)
    if epoch is None:
        return state, 0
    arrays, _ = checkpoint.restore(run.checkpoints, epoch, flax.serialization.to_state_dict(state))
    return flax.serialization.from_state_dict(state, arrays), epoch


def describe(config: TrainConfig, class_names: tuple[str, ...]) -> dict[str, Any]:
    """Says what the model is for; it travels in the checkpoints and in the model file."""
    return {
        "dataset": config.dataset,
        "class_names": list(class_names),
        "preprocessing": data.preprocessing(config.dataset),
        "input": "float32 (28, 28, 1) in [0, 1], background 0",
        "versions": workdir.versions(),
    }


def finish(
    config: TrainConfig, run: workdir.Workdir, params: Any, about: dict, test_set: data.Dataset
) -> dict[str, Any]:
    """Reads the test split, this once; writes the model, the report and the plots."""
    logits = Classifier(params, about).logits(test_set.images)
    parameters = sum(leaf.size for leaf in jax.tree.leaves(params))
    if jax.process_index() == 0:
        keras_h5.save(config.model_file, params, about)
        run.draw(test_set, np.asarray(jax.nn.softmax(logits)))
    return run.report({"test": scores(logits, test_set), "parameters": parameters})
