"""One step of training: the state, the loss, its gradient, the update, and how they are compiled."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import flax
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax.training import train_state
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from cnn.augmentation import affine, corruptions
from cnn.config import TrainConfig
from cnn.model import CNN
from cnn.training import cpu_kernels
from cnn.training.cpu_kernels import Backend


class TrainState(train_state.TrainState):
    """Flax's step, parameters and optimiser state, and the average of the parameters.

    Attributes:
      ema_params: exponential moving average of `params`, which is evaluated and exported.
      lowering: how the network is computed.
    """

    ema_params: Any
    lowering: Backend = flax.struct.field(pytree_node=False)


class EpochMetrics(NamedTuple):
    """What the steps of an epoch add up to.

    Attributes:
      loss: sum of the mean losses of the batches.
      right: how many predictions were right, where the target favours a class.
      counted: of how many.
      bad_step: the first step, from 1, whose loss is not finite; 0 for none.
    """

    loss: jax.Array | np.float32 = np.float32(0)
    right: jax.Array | np.float32 = np.float32(0)
    counted: jax.Array | np.float32 = np.float32(0)
    bad_step: jax.Array | np.int32 = np.int32(0)


def create_state(
    config: TrainConfig, num_classes: int, steps_per_epoch: int
) -> TrainState:
    """Draws the initial parameters, and sets up AdamW.

    Args:
      config: the settings.
      num_classes: how many outputs the network has.
      steps_per_epoch: which the learning rate's schedule counts by.
    """
    model = CNN(num_classes, dtype=config.compute_dtype)
    how = cpu_kernels.select_backend(model)
    kernels = partial(
        jax.tree.map, lambda leaf: leaf.ndim > 1
    )  # Biases are not decayed.
    rate = learning_rate(config, steps_per_epoch)
    tx = optax.adamw(rate, weight_decay=config.weight_decay, mask=kernels)

    @partial(jax.jit, compiler_options=_fast_compile_options())
    def create(key: jax.Array) -> TrainState:
        params = model.init(key, jnp.zeros((1, 28, 28, 1)))["params"]
        return TrainState.create(
            apply_fn=how.logits, params=params, tx=tx, ema_params=params, lowering=how
        )

    return create(jax.random.key(config.seed))


def _fast_compile_options() -> dict[str, int] | None:
    """Returns options for what runs so seldom that it costs less to run slowly than to compile well."""
    soon = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}
    return soon if jax.default_backend() == "cpu" else None


def learning_rate(config: TrainConfig, steps_per_epoch: int) -> optax.Schedule:
    """Returns the learning rate as a function of the step: a linear rise, then a cosine to 0."""
    steps = config.epochs * steps_per_epoch
    rise = round(config.warmup_fraction * steps)
    return optax.warmup_cosine_decay_schedule(
        0.0, config.learning_rate, rise, max(steps, rise + 1)
    )


class AugmentationParams(NamedTuple):
    """How each image of a batch is distorted.

    Attributes:
      maps: for `augment.warp`, `float32 (batch, 2, 3)`.
      bends: for `augment.warp`, `float32 (batch, 2, 6, 6)`.
      keys: data of keys for `augment.corrupt`, `uint32 (batch, 2)`.
      shares: for `augment.corrupt`, `float32 (batch,)`.
    """

    maps: jax.Array
    bends: jax.Array
    keys: jax.Array
    shares: jax.Array


def sample_augmentation(
    key: jax.Array, config: TrainConfig, progress: jax.Array | float
) -> AugmentationParams:
    """Draws how each image of a batch is distorted.

    Args:
      key: of the step.
      config: the settings.
      progress: `float32 ()`, from 0 at the first step of all to 1 at the last.
    """
    count = config.batch_size
    ranges = affine.AffineRanges(
        config.rotation_degrees,
        config.scale_range,
        config.shear_factor,
        config.translate_pixels,
    )
    maps, bends = affine.sample_affine(key, count, ranges), jnp.zeros((count, 2, 6, 6))
    if config.elastic_sigma:
        bends = affine.sample_elastic(
            jax.random.fold_in(key, 2), count, config.elastic_sigma
        )
    keys = jnp.zeros((count, 2), jnp.uint32)
    if config.corruption_prob or config.resolved_corruption_prob_final:
        keys = jax.random.key_data(jax.random.split(jax.random.fold_in(key, 1), count))
    # What is learned first is robust, what is learned last is exact.
    share = (
        config.corruption_prob
        + (config.resolved_corruption_prob_final - config.corruption_prob) * progress
    )
    return AugmentationParams(maps, bends, keys, jnp.full(count, share, jnp.float32))


def augment_batch(
    images: jax.Array, how: AugmentationParams, piece: int, config: TrainConfig
) -> jax.Array:
    """Makes of images what the network is shown in training.

    Args:
      images: `uint8 (batch, 28, 28, 1)`.
      how: as `drawn` draws it.
      piece: of the `Lowering`.
      config: the settings.

    Returns:
      `float32 (batch, 28, 28, 1)` in [0, 1].
    """
    pictures = images[..., 0].astype(jnp.float32) / 255
    if (
        config.rotation_degrees
        or config.scale_range
        or config.shear_factor
        or config.translate_pixels
        or config.elastic_sigma
    ):
        pictures = affine.warp(
            pictures, how.maps, how.bends if config.elastic_sigma else None
        )
    if config.corruption_prob or config.resolved_corruption_prob_final:
        each = cpu_kernels.batch_map(piece)
        pictures = corruptions.random_corruptions(
            jax.random.wrap_key_data(how.keys), pictures, how.shares, each
        )
    return pictures[..., None]


def loss_fn(
    see: Any,
    apply_fn: Any,
    params: Any,
    images: jax.Array,
    how: AugmentationParams,
    targets: jax.Array,
    weights: jax.Array,
) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    """Computes the categorical cross-entropy of distorted images, summed over the batch.

    Args:
      see: from images and distortions to what the network is shown.
      apply_fn: from parameters and images to logits.
      params: of the network.
      images: `uint8 (batch, 28, 28, 1)`.
      how: as `drawn` draws it.
      targets: `float32 (batch, num_classes)`, a probability for each class.
      weights: `float32 (batch,)`, 0 for an example that does not count.

    Returns:
      The sum of the losses; how many predictions were right, and of how many: those whose target
      favours a class.
    """
    logits = apply_fn(params, see(images, how))
    losses = optax.softmax_cross_entropy(logits, targets)
    counted = weights * (targets.max(-1) > 0.5)
    right = counted @ (logits.argmax(-1) == targets.argmax(-1)).astype(jnp.float32)
    return weights @ losses, (right, counted.sum())


def loss_and_grads(
    state: TrainState,
    lane: jax.Array | int,
    images: jax.Array,
    targets: jax.Array,
    key: jax.Array,
    order: jax.Array,
    config: TrainConfig,
) -> tuple[tuple[jax.Array, tuple[jax.Array, jax.Array]], Any]:
    """Sums the gradients of a lane's share of the next batch.

    Args:
      state: before the step.
      lane: `int32 ()`, which share.
      images: `uint8 (N, 28, 28, 1)`, all training images.
      targets: `float32 (N, num_classes)`.
      key: of this epoch.
      order: `int32 (N,)`, in which the epoch takes the images.
      config: the settings.

    Returns:
      What `summed_loss` returns, and the sum of the gradients.
    """
    size, share = config.batch_size, math.ceil(config.batch_size / state.lowering.lanes)
    place = lane * share + _shard_batch(
        jnp.arange(share)
    )  # In the batch; at the end, beyond it.
    batch = order.take(state.step % (len(order) // size) * size + place, mode="clip")
    progress = state.step / (config.epochs * (len(order) // size))
    distortions = sample_augmentation(
        jax.random.fold_in(key, state.step), config, progress
    )
    how = jax.tree.map(
        lambda array: array.take(place, axis=0, mode="clip"), distortions
    )
    piece = state.lowering.piece
    loss = partial(
        loss_fn, partial(augment_batch, piece=piece, config=config), state.apply_fn
    )
    return cpu_kernels.microbatch(jax.value_and_grad(loss, has_aux=True), piece)(
        state.params,
        images[batch],
        how,
        targets[batch],
        (place < size).astype(jnp.float32),
    )


def apply_gradients(
    state: TrainState,
    totals: EpochMetrics,
    gradients: list,
    config: TrainConfig,
    steps_per_epoch: int,
) -> tuple[TrainState, EpochMetrics]:
    """Updates the parameters, and adds the batch's loss and accuracy to the totals.

    Args:
      state: before the step.
      totals: of the epoch's steps so far.
      gradients: what `gradient` returned for each lane: sums over its share of the batch.
      config: the settings.
      steps_per_epoch: by which `state.step` is counted from 1 again.

    Returns:
      The state after the step, and the totals with it.
    """
    (loss, (right, counted)), grads = jax.tree.map(lambda *sums: sum(sums), *gradients)
    loss, grads = jax.tree.map(lambda total: total / config.batch_size, (loss, grads))
    number = state.step % steps_per_epoch + 1
    first_bad = jnp.where(
        jnp.isfinite(loss) | (totals.bad_step > 0), totals.bad_step, number
    )
    state = state.apply_gradients(grads=grads)
    # A young average forgets faster, or it would remember the initial parameters for long.
    decay = jnp.minimum(config.ema_decay, (1.0 + state.step) / (10.0 + state.step))
    state = state.replace(
        ema_params=optax.incremental_update(state.params, state.ema_params, 1 - decay)
    )
    return state, EpochMetrics(
        totals.loss + loss, totals.right + right, totals.counted + counted, first_bad
    )


def compile_steps(
    state: TrainState, images: jax.Array, targets: jax.Array, config: TrainConfig
) -> Callable:
    """Compiles the training step, for arguments of these shapes.

    Args:
      state: before any step.
      images: `uint8 (N, 28, 28, 1)`, all training images.
      targets: `float32 (N, num_classes)`.
      config: the settings.

    Returns:
      A function that takes the next steps of an epoch: from a state, totals, how many steps, images,
      targets, key and order to the new state and totals; the memory of the old ones is used again.
    """
    totals, data = (
        replicate(EpochMetrics()),
        (images, targets, *epoch_permutation(config.seed, 1, len(images))),
    )
    of_lane = partial(loss_and_grads, config=config)
    take = partial(
        apply_gradients, config=config, steps_per_epoch=len(images) // config.batch_size
    )

    @partial(jax.jit, donate_argnums=(0, 1))
    def in_one_call(
        state: TrainState, totals: EpochMetrics, count: int, *data: jax.Array
    ) -> tuple:
        def step(
            _: int, carry: tuple[TrainState, EpochMetrics]
        ) -> tuple[TrainState, EpochMetrics]:
            return take(*carry, [of_lane(carry[0], 0, *data)])

        return lax.fori_loop(0, count, step, (state, totals))

    if not state.lowering.piece:
        return in_one_call.lower(state, totals, np.int32(0), *data).compile()

    # The products, which take the time, are not LLVM's work: level 1 is as fast as 3, and compiled sooner.
    jit = partial(jax.jit, compiler_options={"xla_backend_optimization_level": 1})
    lowered = jit(of_lane).lower(state, np.int32(0), *data)
    compiled, gradients = lowered.compile(), [lowered.out_info] * state.lowering.lanes
    taken = jit(take, donate_argnums=(0, 1)).lower(state, totals, gradients).compile()

    def in_lanes(
        state: TrainState, totals: EpochMetrics, count: int, *data: jax.Array
    ) -> tuple:
        for _ in range(count):
            call = partial(
                lambda state, lane: compiled(state, np.int32(lane), *data), state
            )
            state, totals = taken(
                state, totals, cpu_kernels.run_in_threads(call, state.lowering.lanes)
            )
        return state, totals

    return in_lanes


def _sharding(*axes: str) -> NamedSharding:
    """Says how an array lies on the devices of all hosts: split along `axes`, or copied to each."""
    return NamedSharding(
        Mesh(np.array(jax.devices()), ("batch",)), PartitionSpec(*axes)
    )


def _shard_batch(batch: jax.Array) -> jax.Array:
    """Gives each device its share of a batch; XLA then adds up their gradients."""
    return lax.with_sharding_constraint(batch, _sharding("batch"))


def replicate(tree: Any) -> Any:
    """Copies arrays to every device."""
    return jax.device_put(tree, _sharding())


def epoch_permutation(seed: int, epoch: int, count: int) -> tuple[jax.Array, jax.Array]:
    """Draws an epoch's key, and the order `int32 (count,)` in which it takes the images."""
    return replicate(_jitted_permutation(jax.random.key(seed), epoch, count))


@partial(jax.jit, static_argnames="count")
def _jitted_permutation(
    key: jax.Array, epoch: int, count: int
) -> tuple[jax.Array, jax.Array]:
    key = jax.random.fold_in(key, epoch)
    return key, jax.random.permutation(key, count)
