"""The model that training starts from, instead of random parameters."""

from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np
from jax.sharding import Sharding

from cnn.classifier import Classifier
from cnn.keras_h5 import Tensors
from cnn.training.epoch_data import replicate
from cnn.training.train_step import TrainState

_LAST_LAYER = "dense_1"


def load_initial_model(path: Path | None) -> Classifier | None:
    """Loads the model of `--init`, if it is given.

    Raises:
      cnn.Error: the file or workdir cannot be read.
    """
    return None if path is None else Classifier.load(path)


def start_from(
    state: TrainState,
    initial: Classifier,
    class_names: Sequence[str],
    sharding: Sharding,
) -> TrainState:
    """Puts the parameters of a model in place of random ones.

    A class that the model knows keeps the weights of its output. Others have random
    ones.

    Args:
      state: initial state of the run.
      initial: the model to start from.
      class_names: the classes of the run.
      sharding: of the state.
    """
    params: dict[str, Tensors] = {
        name: {kind: np.asarray(values, np.float32) for kind, values in layer.items()}
        for name, layer in initial.params.items()
    }
    random = jax.device_get(state.params[_LAST_LAYER])
    params[_LAST_LAYER] = _adapt_outputs(
        params[_LAST_LAYER], random, initial, class_names
    )
    # Two copies, since a step reuses the memory of both.
    ema_params = jax.tree.map(np.copy, params)
    return state.replace(
        params=replicate(params, sharding),
        ema_params=replicate(ema_params, sharding),
        forgets_initial_params=tuple(class_names) != initial.class_names,
    )


def _adapt_outputs(
    layer: Tensors, random: Tensors, initial: Classifier, class_names: Sequence[str]
) -> Tensors:
    """Returns the last layer for other classes."""
    kernel = np.array(random["kernel"])
    bias = np.array(random["bias"])
    for index, name in enumerate(class_names):
        if name in initial.class_names:
            known = initial.class_names.index(name)
            kernel[:, index] = layer["kernel"][:, known]
            bias[index] = layer["bias"][known]
    return {"kernel": kernel, "bias": bias}
