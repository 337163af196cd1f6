from dataclasses import replace

import numpy as np
import pytest

from cnn.training import loop
from tests.training.steps import CONFIG, run_one_by_one, start


def test_a_nonfinite_loss_stops_the_epoch_and_names_its_first_step(small):
    config = replace(CONFIG, learning_rate=1e30, warmup_fraction=0)
    _, metrics, _ = run_one_by_one(config, small, 6)
    is_finite = [bool(np.isfinite(step.loss_sum)) for step in metrics]
    first = is_finite.index(False) + 1
    assert 1 < first <= 6
    backend, state, data = start(config, small)
    run_steps = backend.compile_steps(state, data, config)
    words = f"at step {first} of epoch 1; the run is stopped"
    with pytest.raises(loop.TrainingError, match=words):
        loop.train_epoch(run_steps, state, data, 1, backend.steps_per_call)


@pytest.mark.parametrize("steps_per_call", [None, 1, 7, 20, 32])
def test_an_epoch_has_all_its_steps_for_any_number_of_steps_per_call(
    small, steps_per_call
):
    _, state, data = start(CONFIG, small)
    counts = []

    def run_steps(state, totals, count, _):
        counts.append(int(count))
        return state, totals._replace(
            loss_sum=totals.loss_sum + 3 * count,
            num_correct=totals.num_correct + 8 * count,
            num_examples=totals.num_examples + 32 * count,
        )

    _, metrics = loop.train_epoch(run_steps, state, data, 1, steps_per_call)
    assert sum(counts) == 20
    assert max(counts) == min(20, steps_per_call or 20)
    assert (metrics["loss"], metrics["accuracy"]) == (3, 0.25)
