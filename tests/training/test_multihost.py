"""Trainings of 2 and 3 real processes: as one, and with all that can go wrong."""

import json
import shutil
import signal
import subprocess
import time

import jax
import numpy as np
import pytest

from cnn import checkpoint
from cnn.classifier import Classifier
from cnn.data import datasets
from cnn.data.cache import write_cache
from tests.conftest import command
from tests.training.processes import join, join_by_slurm

EPOCHS = 4
# 605 examples with outliers: 20 steps. Neither 2 nor 3 processes share 29 evenly.
ARGUMENTS = (
    "--dataset", "kmnist", "--epochs", EPOCHS, "--batch-size", 29,
    "--learning-rate", 2e-3, "--validation-size", 64, "--corruption-prob", 0,
)  # fmt: skip
# Asynchronous dispatch to several virtual devices can deadlock on few cores.
TWO_DEVICES = {
    "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
    "JAX_CPU_ENABLE_ASYNC_DISPATCH": "false",
}


@pytest.fixture(scope="module")
def arguments(small_dir):
    return (*ARGUMENTS, "--data-dir", small_dir)


def read_curve(folder):
    rows = (folder / "runs" / "kmnist" / "metrics.jsonl").read_text().splitlines()
    names = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy")
    return np.array([[json.loads(row)[name] for name in names] for row in rows])


def read_state(folder):
    state, _ = checkpoint.restore(folder / "runs" / "kmnist" / "checkpoints", EPOCHS)
    return state


def assert_same_state(folder, other):
    same = jax.tree.map(np.array_equal, read_state(folder), read_state(other))
    assert all(jax.tree.leaves(same))


@pytest.fixture(scope="module")
def alone(arguments, tmp_path_factory):
    """The folder of a run of one process."""
    folder = tmp_path_factory.mktemp("alone")
    run = command("train", *arguments)
    subprocess.run(run, cwd=folder, capture_output=True, check=True, timeout=300)
    return folder


@pytest.fixture(scope="module")
def pair(arguments, tmp_path_factory):
    """The folder of an undisturbed run of two processes, and what they printed."""
    folder = tmp_path_factory.mktemp("pair")
    with join_by_slurm(2, folder, arguments) as processes:
        return folder, processes.wait_all()


@pytest.fixture(scope="module")
def three(arguments, tmp_path_factory):
    folder = tmp_path_factory.mktemp("three")
    with join(3, folder, arguments) as processes:
        return folder, processes.wait_all()


@pytest.mark.parametrize("run", ["pair", "three"])
def test_several_processes_train_as_one(run, alone, mnist_test, request):
    folder, finished = request.getfixturevalue(run)
    assert [process.status for process in finished] == [0] * len(finished), finished
    curve, expected = read_curve(folder), read_curve(alone)
    np.testing.assert_allclose(curve[0], expected[0], rtol=1e-4)
    # Sums are rounded differently, by the processor. Steps multiply the difference, and
    # an image or two are then classified differently.
    np.testing.assert_allclose(curve, expected, rtol=5e-3)
    images = mnist_test.images[:2000]
    ours, theirs = (
        Classifier.load(path / "kmnist_model.h5") for path in (folder, alone)
    )
    np.testing.assert_allclose(ours.logits(images), theirs.logits(images), atol=0.5)
    assert np.mean(ours.predict(images) == theirs.predict(images)) > 0.99
    report = json.loads((folder / "runs" / "kmnist" / "report.json").read_text())
    assert report["device"]["processes"] == len(finished)


def test_only_the_first_process_prints(pair):
    _, (first, second) = pair
    assert first.stdout.startswith("test accuracy ")
    assert len(first.stdout.splitlines()) == 1
    assert [line[:5] for line in first.stderr.splitlines()[-EPOCHS - 1 : -1]] == [
        f"{epoch:5}" for epoch in range(1, EPOCHS + 1)
    ]
    assert (second.stdout, second.stderr) == ("", "")


def test_the_path_of_accelerators_trains_on_all_devices_of_all_processes(
    alone, arguments, tmp_path
):
    """Whole epochs per call, with global arrays over two processes of two devices."""
    with join(2, tmp_path, arguments, environments=[TWO_DEVICES] * 2) as processes:
        finished = processes.wait_all()
    assert [process.status for process in finished] == [0, 0], finished
    report = json.loads((tmp_path / "runs" / "kmnist" / "report.json").read_text())
    assert report["device"]["count"] == 4
    # Another order of additions, after 80 steps of rounding.
    np.testing.assert_allclose(read_curve(tmp_path), read_curve(alone), rtol=0.02)


def assert_lost(finished, name):
    """Says in one line that another process is gone."""
    assert finished.status == 1
    [error] = finished.errors
    assert error.startswith(f"error: {name}: ")
    assert error.endswith(
        "of this run has ended or cannot be reached; the same command on all hosts "
        "continues from the last checkpoint"
    )
    assert "Traceback" not in finished.stderr
    assert finished.stderr.rstrip().endswith(error)


def test_after_the_death_of_a_process_the_run_ends_and_continues_to_the_same_parameters(
    pair, arguments, tmp_path
):
    checkpoints = tmp_path / "runs" / "kmnist" / "checkpoints"
    for victim, epoch in ((1, 1), (0, 3)):
        with join(2, tmp_path, arguments) as processes:
            processes.wait_for(checkpoints / str(epoch))
            processes.send(signal.SIGKILL, victim)
            start = time.monotonic()
            assert_lost(processes.wait(1 - victim), f"process {1 - victim}")
            # Twice the heartbeat timeout, as in the README, and the start of Python.
            assert time.monotonic() - start < 130
        last = checkpoint.latest_epoch(checkpoints)
        assert last >= epoch
        checkpoint.restore(checkpoints, last)
    with join(2, tmp_path, arguments) as processes:
        finished = processes.wait_all()
    assert [process.status for process in finished] == [0, 0], finished
    assert f"continuing runs/kmnist after epoch {last}" in finished[0].stderr
    assert_same_state(tmp_path, pair[0])
    np.testing.assert_array_equal(read_curve(tmp_path), read_curve(pair[0]))


def assert_all_say(finished, words, status=1):
    """Says the same in one line, with the number of the process."""
    for index, process in enumerate(finished):
        assert process.status == status
        assert process.errors == [f"error: process {index}: {words}"]
        assert "Traceback" not in process.stderr


@pytest.mark.parametrize("victim", [0, 1])
def test_a_host_that_is_cut_off_ends_the_run_after_the_heartbeat_timeout(
    arguments, tmp_path, victim
):
    """Its connections stay open, so that only the missing heartbeats tell."""
    flags = ("--heartbeat-timeout", 5, "--epochs", 1000)
    with join(2, tmp_path, (*arguments, *flags)) as processes:
        processes.wait_for(tmp_path / "runs" / "kmnist" / "checkpoints" / "1")
        processes.freeze(victim)
        assert_lost(processes.wait(1 - victim), f"process {1 - victim}")


def test_a_signal_to_all_ends_all_and_fewer_processes_may_continue(
    alone, arguments, tmp_path
):
    with join(2, tmp_path, arguments) as processes:
        processes.wait_for(tmp_path / "runs" / "kmnist" / "checkpoints" / "2")
        processes.send(signal.SIGTERM, 1)
        time.sleep(0.5)  # The first process notices the end of the second one.
        processes.send(signal.SIGTERM, 0)
        finished = processes.wait_all()
    words = "terminated; the same command on all hosts continues the run"
    assert_all_say(finished, words, status=143)
    run = command("train", *arguments)
    subprocess.run(run, cwd=tmp_path, capture_output=True, check=True, timeout=300)
    np.testing.assert_allclose(read_curve(tmp_path), read_curve(alone), rtol=1e-4)


def test_a_workdir_that_a_process_does_not_see_is_named(arguments, tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    with join(2, None, arguments, folders=folders) as processes:
        finished = processes.wait_all()
    assert_all_say(
        finished,
        "runs/kmnist: process 1 does not see the files of process 0 there; --workdir "
        "must be a folder that all hosts share",
    )
    assert [path.name for path in (folders[0] / "runs" / "kmnist").iterdir()] == [
        ".lock"
    ]
    assert not list(folders[1].iterdir())


def test_processes_with_different_flags_are_refused(arguments, tmp_path):
    each = [("--seed", 0), ("--seed", 1)]
    with join(2, tmp_path, arguments, each=each) as processes:
        first, second = processes.wait_all()
    assert_lost(first, "process 0")
    assert second.status == 2
    assert second.errors == [
        "error: process 1: --seed: 1 here, 0 in process 0; give all processes the same "
        "flags"
    ]


def test_a_process_that_expects_more_processes_is_refused(arguments, tmp_path):
    each = [(), ("--num-processes", 3)]
    with join(2, tmp_path, arguments, each=each) as processes:
        first, second = processes.wait_all()
    assert_lost(first, "process 0")
    assert second.status == 2
    assert second.errors == [
        "error: process 1: --num-processes: 3 here, 2 in process 0; give all processes "
        "the same flags"
    ]


def test_processes_with_other_images_are_refused(arguments, small_dir, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(small_dir, other)
    [folder] = other.glob("kmnist/*")
    train_set = datasets.load("kmnist", "train", other)
    labels = np.roll(train_set.labels, 1)
    write_cache(folder, "train", train_set._replace(labels=labels))
    each = [(), ("--data-dir", other)]
    with join(2, tmp_path, arguments, each=each) as processes:
        finished = processes.wait_all()
    assert_all_say(
        finished,
        "process 1 has loaded other training images than process 0; all processes need "
        "the same data set in --data-dir",
    )


def test_processes_with_unequal_numbers_of_devices_are_refused(arguments, tmp_path):
    environments = [TWO_DEVICES, {}]
    with join(2, tmp_path, arguments, environments=environments) as processes:
        finished = processes.wait_all()
    assert_all_say(
        finished,
        "process 1 has fewer devices (1) than process 0 (2); all processes need equally "
        "many",
    )
