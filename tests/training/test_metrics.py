from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np

from cnn.training.metrics import (
    EpochMetrics,
    StepMetrics,
    add_step,
    compute_metrics,
    compute_test_report,
)


def test_an_epoch_adds_up_and_remembers_the_first_nonfinite_step():
    totals = EpochMetrics()
    for step, loss in enumerate([1.0, 2.0, np.inf, 1.0, np.nan], 1):
        metrics = StepMetrics(jnp.float32(loss), jnp.float32(3), jnp.float32(4))
        totals = add_step(totals, metrics, step)
        if step == 2:
            assert totals == (3.0, 6.0, 8.0, 0)
    assert totals.first_nonfinite_step == 3
    assert (totals.num_correct, totals.num_examples) == (15, 20)
    assert np.isnan(totals.loss_sum)


def test_metrics_by_hand():
    logits = np.log(np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]], np.float32))
    labels = np.array([0, 1, 1])
    metrics = compute_metrics(logits, labels)
    assert metrics["accuracy"] == 2 / 3
    expected = -np.mean(np.log([0.9, 0.2, 0.7]))
    assert abs(metrics["loss"] - expected) < 1e-6
    dataset = SimpleNamespace(labels=labels, class_names=("no", "yes"))
    report = compute_test_report(logits, dataset)
    assert report["confusion"] == [[1, 0], [1, 1]]
    assert report["accuracy_by_class"] == {"no": 1.0, "yes": 0.5}
    # One prediction per bin: |0.9 - 1|, |0.8 - 0| and |0.7 - 1|, each weighted 1/3.
    assert abs(report["expected_calibration_error"] - 0.4) < 1e-6
