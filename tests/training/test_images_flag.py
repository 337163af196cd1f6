"""`bin/train --images` as a user runs it, from pictures to rows."""

import csv
import json
import os
import shutil

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import pytest

from cnn import keras_h5
from tests.training.test_training_data import write_pictures

QUICK = ("--epochs", 1, "--rehearsal-size", 300, "--images-share", 0.5)


@pytest.fixture
def folder(mnist_test, tmp_path):
    return write_pictures(tmp_path / "mine", mnist_test, "0123456789", count=8)


@pytest.fixture
def model(trained, tmp_path):
    return shutil.copy(trained / "mnist_model.h5", tmp_path / "start.h5")


def read_rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_a_model_is_fine_tuned_on_pictures(run, folder, model, tmp_path):
    done = run("train", "--images", folder, "--init", model, *QUICK)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("test accuracy ")
    assert "model mine_model.h5" in done.stdout
    assert "of 10 test pictures are read right, by the initial model" in done.stderr
    report = json.loads((tmp_path / "runs/mine/report.json").read_text())
    assert report["images"]["counts"] == {"train": 60, "validation": 10, "test": 10}
    # An epoch on few images leaves most of what the model knew.
    assert report["test"]["accuracy"] > 0.95
    _, metadata = keras_h5.load(tmp_path / "mine_model.h5")
    assert metadata["init"] == "start.h5"
    network = keras.models.load_model(tmp_path / "mine_model.h5")
    assert network.count_params() == 93_322
    settings = json.loads((tmp_path / "runs/mine/config.json").read_text())
    assert (settings["preset"], settings["learning_rate"]) == ("finetune", 0.003)


def test_pictures_alone_give_a_model_of_their_classes(run, mnist_test, tmp_path):
    names = ["cat", "A", "10", "b"]
    write_pictures(tmp_path / "words", mnist_test, names, count=12)
    arguments = ("--dataset", "none", "--images", "words", "--epochs", 1)
    done = run("train", *arguments)
    assert done.returncode == 0, done.stderr
    done = run(
        "infer", "--model", "words_model.h5", "--input", "words", "--output", "x.csv"
    )
    assert done.returncode == 0, done.stderr
    rows = read_rows(tmp_path / "x.csv")
    assert {row["prediction"] for row in rows} <= set(names)
    right = [row["path"].startswith(row["prediction"] + "/") for row in rows]
    assert np.mean(right) > 0.8
    assert "by the initial model" not in done.stderr


def test_a_run_does_not_continue_with_other_pictures(run, folder, model):
    command = ("train", "--images", folder, "--init", model, *QUICK)
    assert run(*command).returncode == 0
    assert run(*command).returncode == 0
    next((folder / "3").iterdir()).unlink()
    done = run(*command)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "error: runs/mine: its run has learned from other pictures than --images holds "
        "now; give another --workdir, or --restart to begin anew"
    )
    assert run(*command, "--restart").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--dataset", "none"], 2, "--dataset none: needs --images"),
        (["--labels", "x.csv"], 2, "--labels: goes with --images"),
        (["--images", "nowhere"], 2, "--images: nowhere: no such folder; expected one"),
        (["--images", "mine", "--labels", "x.csv"], 1, "x.csv: the labels cannot be"),
        (["--images", "mine", "--init", "x.h5"], 1, "x.h5: no such model file"),
        (["--images", "mine", "--images-share", "1"], 2, "--images-share: expected 0."),
    ],
)
def test_a_wrong_setting_is_one_line(run, folder, arguments, status, words, tmp_path):
    done = run("train", *arguments)
    assert done.returncode == status
    assert done.stderr.splitlines()[-1].startswith(f"error: {words}")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "mnist_model.h5").exists()


def test_a_class_with_too_few_pictures_is_named(run, folder):
    for path in sorted((folder / "4").iterdir())[4:]:
        path.unlink()
    done = run("train", "--images", folder, "--dataset", "none")
    assert done.returncode == 1
    line = "error: --images: class 4 has 4 pictures to learn from; expected 5 or more"
    assert done.stderr.splitlines()[-1].startswith(line)
