import logging
import os
import shutil
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cnn import checkpoint

# TensorStore's threads complain where nobody can catch it.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)

STATE = {
    "params": {"dense": {"kernel": jnp.arange(5000.0), "bias": jnp.ones(3)}},
    "opt_state": {"0": {"count": jnp.int32(7)}, "1": {}},
    "step": jnp.int32(42),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "checkpoints"
    with checkpoint.open_manager(folder) as manager:
        for epoch, accuracy in enumerate([0.5, 0.9, 0.6, 0.7, 0.8, 0.7], 1):
            checkpoint.save(manager, epoch, STATE, {"class_names": ["a"]}, accuracy)
    return folder


@pytest.fixture
def copied(saved, tmp_path) -> Path:
    return shutil.copytree(saved, tmp_path / "checkpoints")


def same(a, b):
    return jax.tree.all(jax.tree.map(lambda x, y: bool(np.array_equal(x, y)), a, b))


def test_the_last_three_and_the_best_are_kept(saved):
    assert sorted(name for name in os.listdir(saved) if name.isdigit()) == [
        "2",
        "4",
        "5",
        "6",
    ]
    assert checkpoint.latest_epoch(saved) == 6


def test_the_best_is_known_after_the_run_was_continued(copied):
    with checkpoint.open_manager(copied) as manager:
        for epoch in (7, 8, 9):
            checkpoint.save(manager, epoch, STATE, {"class_names": ["a"]}, 0.6)
    assert sorted(name for name in os.listdir(copied) if name.isdigit()) == [
        "2",
        "7",
        "8",
        "9",
    ]


def test_a_state_is_restored_like_the_target_or_as_numpy(saved):
    state, metadata = checkpoint.restore(saved, 6, STATE)
    assert same(state, STATE)
    assert metadata == {"class_names": ["a"]}
    plain, _ = checkpoint.restore(saved, 2)
    assert same(plain, STATE)
    assert isinstance(plain["step"], np.ndarray)


def test_a_relative_folder_works(copied, monkeypatch):
    monkeypatch.chdir(copied.parent)
    state, _ = checkpoint.restore(Path("checkpoints"), 6, STATE)
    assert same(state, STATE)


def test_no_folder_has_no_latest(tmp_path):
    assert checkpoint.latest_epoch(tmp_path / "none") is None
    assert checkpoint.latest_epoch(tmp_path) is None


def refusal(folder, epoch=6, target=STATE):
    with pytest.raises(checkpoint.CheckpointError) as error:
        checkpoint.restore(folder, epoch, target)
    text = str(error.value)
    assert "\n" not in text
    assert str(folder / str(epoch)) in text
    return text


def test_a_missing_checkpoint_is_named(saved):
    assert "no checkpoint there" in refusal(saved, 99)


def test_a_foreign_checkpoint_names_the_leaf_that_differs(saved):
    other = {
        **STATE,
        "params": {"dense": {"kernel": jnp.zeros(5001), "bias": jnp.ones(3)}},
    }
    assert "leaf params/dense/kernel: expected (5001,), found (5000,)" in refusal(
        saved, target=other
    )
    missing = {**STATE, "extra": jnp.zeros(2)}
    assert "leaf extra: expected (2,), found nothing" in refusal(saved, target=missing)


def files(folder):
    return sorted(
        (p for p in folder.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size
    )


def test_a_changed_value_is_found_and_named_though_orbax_reads_it(copied):
    path = files(copied / "6" / "state")[-1]  # The largest file holds the values.
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert "leaf params/dense/kernel" in refusal(copied)


def test_logging_and_hooks_are_restored(saved):
    hook = sys.unraisablehook
    level = logging.getLogger("absl").level
    filters = list(logging.getLogger("asyncio").filters)
    checkpoint.restore(saved, 6, STATE)
    assert sys.unraisablehook is hook
    assert logging.getLogger("absl").level == level
    assert logging.getLogger("asyncio").filters == filters


@pytest.mark.parametrize("damage", ["truncated", "gone"])
def test_any_damaged_file_is_refused_or_does_not_matter(copied, damage):
    refused = 0
    for path in files(copied / "6"):
        content = path.read_bytes()
        if damage == "truncated":
            path.write_bytes(content[: len(content) // 2])
        else:
            path.unlink()
        try:
            state, _ = checkpoint.restore(copied, 6, STATE)
        except checkpoint.CheckpointError as error:
            refused += 1
            assert "damaged checkpoint" in str(error)
            assert (
                "move that folder away to use the checkpoint before it, or begin anew with bin/train --restart"
                in str(error)
            )
        else:
            assert same(state, STATE)
        path.write_bytes(content)
    assert refused > 3
