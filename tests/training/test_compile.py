import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cnn.model import CNN
from cnn.training import compile as training_compile
from cnn.training import loop
from cnn.training.compile import FusedBackend, ThreadedBackend, select_backend
from cnn.training.cpu_kernels import apply_im2col
from cnn.training.epoch_data import replicate
from cnn.training.metrics import EpochMetrics
from cnn.training.train_step import Batch, create_state, train_step
from tests.conftest import ROOT
from tests.reference import forward, random_params
from tests.training.steps import CONFIG, run_one_by_one, start, two_threads

AUGMENTED = replace(
    CONFIG, corruption_prob=0.5, corruption_prob_final=0.1, outlier_fraction=0.1
)

# A program that runs once is compiled in a third of the time.
RUN_ONCE = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}


@pytest.mark.parametrize("optimizer", ["adam", "muon"])
def test_ten_steps_of_the_cpu_back_end_equal_ten_of_the_definition(small, optimizer):
    """With warps, corruptions and outliers, in two threads with odd microbatches."""
    config = replace(AUGMENTED, batch_size=20, optimizer=optimizer)
    backend = two_threads(microbatch_size=8)
    params, metrics, data = run_one_by_one(config, small, 10, backend)

    steps_per_epoch = len(data.images) // 20
    state = create_state(jax.random.key(0), CNN(10), config, steps_per_epoch)
    state = state.replace(params=params[0][0], ema_params=params[0][1])
    step = jax.jit(train_step, static_argnames="config", compiler_options=RUN_ONCE)
    for i in range(10):
        indices = data.order[20 * i : 20 * (i + 1)]
        batch = Batch(data.images[indices], data.targets[indices])
        state, expected = step(state, batch, data.key, config)
        np.testing.assert_allclose(metrics[i].loss_sum, expected.loss, atol=1e-4)
        assert metrics[i].num_examples == expected.num_examples
    assert sum(step.num_examples for step in metrics) < 200  # Outliers do not count.
    for ours, theirs in zip(params[10], (state.params, state.ema_params), strict=True):
        for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-4)


def test_several_steps_per_call_equal_single_steps_bit_for_bit(small):
    params, metrics, _ = run_one_by_one(CONFIG, small, 5)
    backend, state, data = start(CONFIG, small)
    run_steps = backend.compile_steps(state, data, CONFIG)
    totals = replicate(EpochMetrics(), data.order.sharding)
    state, totals = run_steps(state, totals, np.int32(5), data)
    same = jax.tree.map(np.array_equal, (state.params, state.ema_params), params[-1])
    assert all(jax.tree.leaves(same))
    loss_sum = sum(step.loss_sum for step in metrics)
    np.testing.assert_allclose(totals.loss_sum, loss_sum, rtol=1e-6)
    assert totals.num_correct == sum(step.num_correct for step in metrics)


def sum_shares(backend, state, data, config):
    shares = []
    for process_index in range(backend.num_processes):
        share_gradients = jax.jit(
            replace(backend, process_index=process_index).share_gradients,
            static_argnames="config",
            compiler_options=RUN_ONCE,
        )
        shares += [
            share_gradients(state, index, data, config=config)
            for index in range(backend.num_threads)
        ]
    return jax.tree.map(lambda *parts: sum(parts), *shares)


@pytest.mark.parametrize(
    ("num_processes", "num_threads", "batch_size"),
    [(1, 1, 31), (1, 3, 100), (1, 2, 1), (1, 4, 9), (3, 2, 20), (2, 3, 31), (3, 1, 2)],
)
def test_any_number_of_processes_and_threads_sums_the_gradient_of_the_whole_batch(
    small, num_processes, num_threads, batch_size
):
    """In the epoch's last batch, where shares may reach beyond the last example."""
    config = replace(CONFIG, batch_size=batch_size)
    check_shares(small, config, num_threads, num_processes)


@pytest.mark.parametrize("num_processes", [1, 2])
def test_an_image_is_corrupted_in_the_same_way_for_any_number_of_shares(
    small, num_processes
):
    config = replace(AUGMENTED, batch_size=10)
    check_shares(small, config, 3, num_processes)


def check_shares(small, config, num_threads, num_processes):
    batch_size = config.batch_size
    whole = ThreadedBackend(apply_im2col, 1, batch_size)
    _, state, data = start(config, small, whole)
    state = state.replace(step=len(data.images) // batch_size - 1)
    shared = replace(
        whole,
        num_threads=num_threads,
        microbatch_size=8,
        num_processes=num_processes,
    )
    (loss, counts), grads = sum_shares(shared, state, data, config)
    (whole_loss, whole_counts), whole_grads = sum_shares(whole, state, data, config)
    assert counts == whole_counts
    np.testing.assert_allclose(loss, whole_loss, rtol=1e-4)
    for a, b in zip(jax.tree.leaves(grads), jax.tree.leaves(whole_grads), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3 * batch_size / 100)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_gpu_runs_plain_flax_and_whole_epochs(monkeypatch, dtype):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    backend = select_backend(CNN(dtype=dtype))
    assert isinstance(backend, FusedBackend)
    assert backend.steps_per_call is None
    variables = {"params": random_params()}
    images = jnp.ones((2, 28, 28, 1))
    expected = CNN(dtype=dtype).apply(variables, images)
    np.testing.assert_array_equal(backend.apply_fn(variables, images), expected)


def test_a_cpu_runs_a_thread_per_core_and_bfloat16_as_plain_flax(monkeypatch):
    monkeypatch.setattr(training_compile, "cpu_count", lambda: 3)
    backend = select_backend(CNN())
    assert isinstance(backend, ThreadedBackend)
    assert (backend.num_threads, backend.microbatch_size) == (3, 8)
    assert isinstance(select_backend(CNN(dtype="bfloat16")), FusedBackend)
    monkeypatch.setattr(jax, "local_device_count", lambda: 2)
    assert select_backend(CNN()) == FusedBackend(apply_im2col)


@pytest.mark.parametrize("batch", [1, 5, 64, 100])
@pytest.mark.parametrize("platform", ["cpu", "gpu"])
def test_every_back_end_computes_the_network_of_the_definition(
    monkeypatch, batch, platform
):
    monkeypatch.setattr(jax, "default_backend", lambda: platform)
    backend = select_backend(CNN(7))
    images = np.random.default_rng(batch).random((batch, 28, 28, 1)).astype(np.float32)
    params = random_params(7)
    logits = jax.jit(backend.apply_fn)({"params": params}, images)
    probabilities = jax.nn.softmax(logits)
    np.testing.assert_allclose(probabilities, forward(params, images), atol=1e-5)


def test_the_fused_back_end_runs_an_epoch_in_one_call_and_learns_in_bfloat16(small):
    config = replace(CONFIG, compute_dtype="bfloat16")
    backend, state, data = start(config, small)
    assert isinstance(backend, FusedBackend)
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(state.params))
    run_steps = backend.compile_steps(state, data, config)
    calls = []

    def counting(state, totals, count, data):
        calls.append(int(count))
        return run_steps(state, totals, count, data)

    losses = []
    for epoch in (1, 2, 3):
        state, metrics = loop.train_epoch(
            counting, state, data, epoch, backend.steps_per_call
        )
        losses.append(metrics["loss"])
    assert calls == [20, 20, 20]
    assert losses[2] < 0.8 * losses[0]


def test_bfloat16_and_float32_start_with_nearly_the_same_loss(small):
    losses = []
    for dtype in ("float32", "bfloat16"):
        _, metrics, _ = run_one_by_one(replace(CONFIG, compute_dtype=dtype), small, 1)
        losses.append(metrics[0].loss_sum)
    assert 0 < abs(losses[0] - losses[1]) < 0.02


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("platform", ["cuda", "rocm", "tpu"])
def test_accelerators_get_a_whole_epoch_of_whole_batches(
    small, monkeypatch, dtype, platform
):
    """The program that JAX would compile there, made without such a device."""
    config = replace(CONFIG, compute_dtype=dtype)
    monkeypatch.setattr(jax, "default_backend", lambda: platform)
    backend = select_backend(CNN(10, dtype=dtype))
    monkeypatch.undo()
    assert isinstance(backend, FusedBackend)
    backend, state, data = start(config, small, backend)
    totals = replicate(EpochMetrics(), backend.sharding)
    traced = backend.jit_steps(config).trace(state, totals, np.int32(0), data)
    text = traced.lower(lowering_platforms=(platform,)).as_text()
    # The only loop is over steps. The CPU's path has another, over microbatches of 8.
    assert text.count("stablehlo.while") == 1
    element = {"float32": "f32", "bfloat16": "bf16"}[dtype]
    assert f"-> tensor<32x26x26x32x{element}>" in text
    assert f"-> tensor<32x3x3x64x{element}>" in text
    assert "tensor<8x28x28x1x" not in text
    assert "custom_call" not in text


def test_the_cpu_computes_microbatches_in_a_loop(small):
    """What the test above looks for is there where it belongs."""
    backend, state, data = start(CONFIG, small, two_threads())
    share_gradients = jax.jit(partial(backend.share_gradients, config=CONFIG))
    text = share_gradients.lower(state, np.int32(0), data).as_text()
    assert text.count("stablehlo.while") > 0
    assert "tensor<8x28x28x1x" in text
    assert "tensor<32x28x28x1x" not in text


DEVICES_SCRIPT = """
import jax, sys, json
from dataclasses import replace
from functools import partial
jax.config.update('jax_cpu_enable_async_dispatch', False)
from cnn.data import datasets
from cnn.model import CNN
from cnn.training.fused_backend import FusedBackend
from tests.training.steps import CONFIG, run_one_by_one
small = datasets.load('kmnist', 'train', sys.argv[1])
config = replace(CONFIG, batch_size=30, warmup_fraction=0, optimizer='muon')
backend = FusedBackend(CNN(10).apply)
_, metrics, _ = run_one_by_one(config, small, 3, backend)
losses = [float(step.loss_sum) for step in metrics]
print(json.dumps([jax.device_count(), losses]))
"""


def test_several_devices_learn_the_same_as_one(small_dir):
    """On the accelerators' path. Four devices share the batch of 30 unevenly."""

    def losses(num_devices):
        flags = f"--xla_force_host_platform_device_count={num_devices}"
        done = subprocess.run(
            [sys.executable, "-c", DEVICES_SCRIPT, small_dir],
            cwd=ROOT,
            env={**os.environ, "XLA_FLAGS": flags},
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert done.returncode == 0, done.stderr
        count, values = json.loads(done.stdout)
        assert count == num_devices
        return values

    one = losses(1)
    np.testing.assert_allclose(losses(2), one, rtol=1e-4)
    np.testing.assert_allclose(losses(4), one, rtol=1e-4)
