"""The commands as a user meets them: outputs, exit statuses, words of errors."""

import csv
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from cnn import checkpoint
from cnn.config import InferConfig, TrainConfig
from cnn.config_schema import describe_settings
from tests.conftest import ROOT, STOPPING_SIGNALS, command, interrupt

SMALL = (
    "--dataset",
    "kmnist",
    "--epochs",
    6,
    "--batch-size",
    16,
    "--validation-size",
    64,
)


@pytest.fixture
def small(small_dir):
    return (*SMALL, "--data-dir", small_dir)


def failure(done: subprocess.CompletedProcess, status: int) -> str:
    """The one line that a failed command says."""
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr.rstrip("\n").splitlines()[-1]


def test_training_on_real_mnist_leaves_the_whole_story(trained):
    assert (trained / "mnist_model.h5").is_file()
    workdir = trained / "runs" / "mnist"
    assert {path.name for path in workdir.iterdir()} == {
        ".lock", "checkpoints", "config.json", "metrics.jsonl", "report.json",
        "curves.png", "confusion.png", "mistakes.png", "reliability.png",
    }  # fmt: skip
    report = json.loads((workdir / "report.json").read_text())
    assert report["test"]["accuracy"] > 0.98
    assert 0 < report["test"]["expected_calibration_error"] < 0.02
    confusion = np.array(report["test"]["confusion"])
    assert confusion.sum() == 10_000
    assert report["test"]["accuracy"] == np.trace(confusion) / 10_000
    sevens = report["test"]["accuracy_by_class"]["7"]
    assert sevens == confusion[7, 7] / confusion[7].sum()
    assert 0.2 < report["temperature"] < 5
    assert 0.1 < report["unsure_below"] < 1
    assert report["parameters"] == 93_322
    assert report["training_seconds"] > 0
    assert {"jax", "flax", "optax", "numpy"} < set(report["versions"])
    (row,) = [
        json.loads(line)
        for line in (workdir / "metrics.jsonl").read_text().splitlines()
    ]
    assert row["epoch"] == 1
    assert set(row) == {
        "epoch", "loss", "accuracy", "seconds", "val_loss", "val_accuracy",
        "learning_rate", "images_per_second",
    }  # fmt: skip
    config = json.loads((workdir / "config.json").read_text())
    assert (config["preset"], config["epochs"], config["workdir"]) == (
        "fast",
        1,
        "runs/mnist",
    )


def test_training_prints_its_result_to_stdout_and_the_rest_to_stderr(trained):
    stdout, stderr = (
        (trained / "stdout.txt").read_text(),
        (trained / "stderr.txt").read_text(),
    )
    assert stdout.startswith("test accuracy 9")
    assert len(stdout.splitlines()) == 1
    assert "Total parameters: 93,322" in stderr
    assert "Warning" not in stderr
    assert "\r" not in stderr  # No progress bar where nobody watches.
    header, row = stderr.splitlines()[-3:-1]
    assert header.split("  ")[0] == "epoch"
    assert len(header) == len(row)


def test_reading_the_samples(trained, run):
    samples = ROOT / "tests" / "samples"
    done = run("infer", "--input", samples, "--model", trained / "mnist_model.h5")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert sorted(row["path"] for row in rows) == sorted(
        path.name for path in samples.iterdir()
    )
    assert (
        sum(row["prediction"] == row["label"] for row in rows) >= 23
    )  # Of 25, after one epoch.


def final_arrays(folder: Path) -> dict:
    state, _ = checkpoint.restore(folder / "runs" / "kmnist" / "checkpoints", 6)
    with h5py.File(folder / "kmnist_model.h5") as file:
        names: list = []
        file["model_weights"].visititems(
            lambda n, o: names.append(n) if isinstance(o, h5py.Dataset) else None
        )
        return {
            "state": state,
            "h5": {name: file["model_weights"][name][()] for name in names},
        }


@pytest.fixture(scope="module")
def uninterrupted(small_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    arguments = (*SMALL, "--data-dir", small_dir)
    subprocess.run(
        command("train", *arguments),
        cwd=folder,
        capture_output=True,
        check=True,
        timeout=300,
    )
    return final_arrays(folder)


def same(a, b) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return np.array_equal(a, b) and a.dtype == b.dtype


def wait_for(path: Path, process: subprocess.Popen) -> None:
    while not path.exists() and process.poll() is None:
        time.sleep(0.002)


@pytest.mark.parametrize("sign", STOPPING_SIGNALS)
@pytest.mark.parametrize("epoch", [1, 2])
def test_a_run_that_was_stopped_and_continued_ends_bit_for_bit_the_same(
    small, uninterrupted, run, tmp_path, sign, epoch
):
    checkpoints = tmp_path / "runs" / "kmnist" / "checkpoints"
    process = subprocess.Popen(
        command("train", *small), cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    wait_for(checkpoints / str(epoch), process)
    time.sleep(0.15 * epoch)  # Into the next epoch, at another step each time.
    status = interrupt(process, sign)
    assert status == STOPPING_SIGNALS[sign]
    message = process.stderr.read()
    process.stderr.close()
    assert "Traceback" not in message
    if status > 0:
        assert message.rstrip().endswith("the same command continues the run")
    done = run("train", *small)
    assert done.returncode == 0, done.stderr
    assert "continuing runs/kmnist after epoch" in done.stderr
    assert same(final_arrays(tmp_path), uninterrupted)
    rows = (tmp_path / "runs" / "kmnist" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(row)["epoch"] for row in rows] == [1, 2, 3, 4, 5, 6]


# Sends SIGTERM to itself when a module is searched for, so during imports.
SIGNAL_DURING_IMPORT = """
import os, signal, sys

searched = sys.argv[1]

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == searched:
            os.kill(os.getpid(), signal.SIGTERM)

sys.meta_path.insert(0, Finder())
from cnn import cli
sys.argv[1:] = sys.argv[2:]
sys.exit(cli.main_train())
"""


@pytest.mark.parametrize("module", ["cnn.config", "cnn.supervisor", "multiprocessing"])
@pytest.mark.parametrize("flags", [[], ["--distributed"]])
def test_a_signal_during_an_import_is_one_line(tmp_path, module, flags):
    done = subprocess.run(
        [sys.executable, "-c", SIGNAL_DURING_IMPORT, module, *flags],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 143, done.stderr
    assert done.stderr == "error: terminated; the same command continues the run\n"


def test_a_finished_run_can_be_finished_again(small, run, tmp_path):
    assert run("train", *small).returncode == 0
    (tmp_path / "kmnist_model.h5").unlink()
    done = run("train", *small)
    assert done.returncode == 0
    assert "continuing runs/kmnist after epoch 6 of 6" in done.stderr
    assert (tmp_path / "kmnist_model.h5").exists()


def test_a_changed_setting_is_refused_and_restart_begins_anew(small, run):
    assert run("train", *small).returncode == 0
    changed = (*small, "--learning-rate", 0.01)
    text = failure(run("train", *changed), 1)
    assert text == (
        "error: runs/kmnist: its run has --learning-rate 0.004, not 0.01; give another "
        "--workdir, or --restart to begin anew"
    )
    done = run("train", *changed, "--restart")
    assert done.returncode == 0
    assert "continuing" not in done.stderr


def test_a_second_training_in_a_workdir_is_refused(small, run, tmp_path):
    many = ("--epochs", 500)
    process = subprocess.Popen(
        command("train", *small, *many), cwd=tmp_path, stderr=subprocess.PIPE
    )
    wait_for(tmp_path / "runs" / "kmnist" / "config.json", process)
    text = failure(run("train", *small, *many), 1)
    interrupt(process, 15)
    process.stderr.close()
    assert text == (
        "error: runs/kmnist: another training is running there; wait for it, or give "
        "another --workdir"
    )


def test_a_damaged_checkpoint_is_no_silent_fresh_start(small, run, tmp_path):
    assert run("train", *small).returncode == 0
    newest = tmp_path / "runs" / "kmnist" / "checkpoints" / "6"
    shutil.rmtree(newest / "state")
    text = failure(run("train", *small), 1)
    assert f"{newest}: damaged checkpoint" in text
    shutil.rmtree(newest)
    assert "continuing runs/kmnist after epoch 5 of 6" in run("train", *small).stderr


def test_a_refused_restart_leaves_the_run_as_it_was(small, run, tmp_path):
    assert run("train", *small).returncode == 0
    before = sorted(path for path in (tmp_path / "runs").rglob("*"))
    failure(run("train", *small, "--restart", "--batch-size", 9999), 2)
    assert sorted(path for path in (tmp_path / "runs").rglob("*")) == before


def test_a_checkpoint_that_cannot_be_written_is_one_line(small, data_dir, tmp_path):
    # No file over 98 KiB: as on a full disk, but for this process alone.
    script = "ulimit -f 98; exec " + shlex.join(command("train", *small))
    environment = {**os.environ, "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "none")}
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "runs/kmnist/checkpoints: the checkpoint cannot be written there" in failure(
        done, 1
    )


@pytest.mark.parametrize("content", ["[]", "{", '{"other": 1}'])
def test_settings_of_something_else_are_not_written_over(small, run, tmp_path, content):
    (tmp_path / "runs" / "kmnist").mkdir(parents=True)
    config = tmp_path / "runs" / "kmnist" / "config.json"
    config.write_text(content)
    theirs = tmp_path / "runs" / "kmnist" / "checkpoints" / "important" / "thesis.txt"
    theirs.parent.mkdir(parents=True)
    theirs.touch()
    for restart in ([], ["--restart"]):
        text = failure(run("train", *small, *restart), 1)
        assert (
            "config.json: not the settings of a run of bin/train; "
            "give another --workdir" in text
        )
        assert config.read_text() == content
    config.unlink()
    assert run("train", *small, "--restart").returncode == 0
    assert theirs.exists()


def test_torn_metrics_are_left_out(small, run, tmp_path):
    assert run("train", *small).returncode == 0
    metrics = tmp_path / "runs" / "kmnist" / "metrics.jsonl"
    rows = metrics.read_bytes().splitlines(keepends=True)
    metrics.write_bytes(
        b"\xff\xfe{\n"
        + rows[0]
        + b'{"epoch": 2}\n'
        + rows[1].replace(b'"epoch": 2', b'"epoch": "2"')
        + rows[2]
        + b'{"epoch": 4, "lo'
    )
    assert run("train", *small).returncode == 0
    assert metrics.read_bytes() == rows[0] + rows[2]


def test_lost_settings_are_no_silent_fresh_start(small, run, tmp_path):
    assert run("train", *small).returncode == 0
    (tmp_path / "runs" / "kmnist" / "config.json").unlink()
    text = failure(run("train", *small), 1)
    words = "missing, so that the settings of this run are unknown"
    assert f"config.json: {words}" in text


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_checkpoint(
    small, run, tmp_path
):
    """A learning rate that grows beyond all bounds after the first epoch."""
    arguments = (*small, "--learning-rate", 1e30, "--warmup-fraction", 1)
    text = failure(run("train", *arguments), 1)
    assert "error: the loss is " in text
    assert " at step " in text
    assert "try a lower --learning-rate with --restart" in text
    assert not (tmp_path / "kmnist_model.h5").exists()
    one_step = (
        *small,
        "--batch-size",
        576,
        "--epochs",
        1,
        "--warmup-fraction",
        0,
        "--learning-rate",
        1e30,
    )
    text = failure(
        run("train", *one_step, "--restart"), 1
    )  # Its only loss is that before the step.
    assert "the loss is nan at step 1 of epoch 1" in text
    assert not list((tmp_path / "runs" / "kmnist" / "checkpoints").glob("[0-9]*"))


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--batch-size", "0"], 2, "error: --batch-size: expected 1 or more, got 0"),
        (["--epochs", "0"], 2, "error: --epochs: expected 1 or more, got 0"),
        (
            ["--learning-rate", "nan"],
            2,
            "error: --learning-rate: expected 1e-12 or more, got nan",
        ),
        (
            ["--dataset", "mnits"],
            2,
            "error: tensorflow-datasets has no data set 'mnits'; did you mean mnist",
        ),
        (
            ["--batch-size", "60001"],
            2,
            "error: --batch-size: expected at most the 55000 training images",
        ),
        (["--workdir", "file"], 1, "error: file: is a file; --workdir needs a folder"),
        (
            ["--workdir", "file/run"],
            1,
            "error: file/run: is a file; --workdir needs a folder",
        ),
        (
            ["--workdir", "/proc/none/run"],
            1,
            "error: /proc/none/run: cannot write there",
        ),
        (
            ["--model", "folder"],
            1,
            "error: folder: is a folder; --model needs the name of a file",
        ),
        (
            ["--model", "none/m.h5"],
            1,
            "error: none: no such folder; make it, or give another --model",
        ),
    ],
)
def test_training_refuses_in_one_line(run, tmp_path, arguments, status, words):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    assert failure(run("train", *arguments), status).startswith(words)


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        (
            "train",
            ["--batch-sise", "3"],
            "error: --batch-sise: no such flag; did you mean --batch-size?",
        ),
        (
            "train",
            ["--learning_rat=3"],
            "error: --learning_rat=3: no such flag; did you mean --learning-rate?",
        ),
        (
            "infer",
            ["--inpt", "."],
            "error: --inpt: no such flag; did you mean --input?",
        ),
        (
            "infer",
            ["--input", ".", "--xyzzy"],
            "error: --xyzzy: no such flag; --help lists all",
        ),
    ],
)
def test_an_unknown_flag_is_refused_with_the_nearest_known(run, name, arguments, words):
    assert failure(run(name, *arguments), 2) == words


@pytest.mark.parametrize(
    "arguments", [[], ["--input"], ["--input", ".", "--top-k", "many"]]
)
def test_a_wrong_value_is_wrong_usage(run, arguments):
    done = run("infer", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--input" in done.stderr or "--top-k" in done.stderr


@pytest.mark.parametrize("name", ["train", "infer"])
def test_help_shows_every_default(run, name):
    done = run(name, "--help")
    assert done.returncode == 0
    shown = " ".join(done.stdout.replace("│", " ").replace("'", "").split())
    config = {"train": TrainConfig, "infer": InferConfig}[name]
    for setting in describe_settings(config):
        assert f"{setting.flag} " in shown
        default = f"default: {setting.default}"
        assert (
            f"({setting.default if setting.default == 'required' else default})"
            in shown
        )


def test_help_of_a_flag_that_turns_off_says_so_and_values_have_one_name(run):
    done = run("infer", "--help")
    shown = " ".join(done.stdout.replace("│", " ").split())
    words = "Do not read sub-folders. (default: off)"
    assert f"--no-recursive {words}" in shown
    assert "--output PATH " in shown
    assert "--format {csv,jsonl,parquet} " in shown
    assert "{None" not in shown


def test_a_preset_changes_defaults(run):
    """Images per step."""
    shown = run("train", "--preset", "fast", "--help").stdout
    assert "(default: 32)" in shown
    assert "(default: 64)" in run("train", "--help").stdout


def test_without_the_dependencies_a_line_says_what_to_run(tmp_path):
    """A Python that sees nothing but its own library."""
    for name, arguments in (("train", []), ("infer", ["--input", "."])):
        script = [sys.executable, "-S", "-E", str(ROOT / "bin" / name), *arguments]
        done = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True)
        text = failure(done, 1)
        assert " is not installed for " in text
        assert "run: python3 -m venv .venv && .venv/bin/pip install -e ." in text


def infer_error(run, *arguments):
    return failure(run("infer", *arguments), 1)


def test_reading_refuses_in_one_line(run, trained, tmp_path):
    model = trained / "mnist_model.h5"
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.png").touch()
    (tmp_path / "short.h5").write_bytes(model.read_bytes()[:5000])
    folder = ("--input", ROOT / "tests" / "samples")
    assert infer_error(run, *folder, "--model", "none.h5") == (
        "error: none.h5: no such model file; train one with bin/train, or name digits, "
        "the shipped one"
    )
    assert infer_error(run, "--input", "none", "--model", model) == (
        "error: none: no such folder or image; --input names what to read"
    )
    assert infer_error(run, "--input", "empty", "--model", model) == (
        "error: empty: nothing to read in this folder; expected PNG, JPEG, BMP, GIF, "
        "TIFF, WEBP, PPM, AVIF, HEIC, PDF images"
    )
    assert "short.h5: damaged model file" in infer_error(
        run, *folder, "--model", "short.h5"
    )
    assert infer_error(run, *folder, "--model", model, "--output", "empty") == (
        "error: empty: is a folder; --output needs the name of a file"
    )
    assert infer_error(run, *folder, "--model", model, "--plot", "none/p.png") == (
        "error: none: no such folder; make it, or give another --plot"
    )
    assert "empty: a folder without checkpoints; expected a model" in infer_error(
        run, *folder, "--model", "empty"
    )
    assert (
        failure(run("infer", *folder, "--rows-per-write", 0), 2)
        == "error: --rows-per-write: expected 1 or more, got 0"
    )


def test_a_folder_without_any_image_has_its_rows_and_says_so(run, trained, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("hello")
    done = run("infer", "--input", "notes", "--model", trained / "mnist_model.h5")
    assert done.returncode == 1
    assert done.stdout.splitlines()[1].startswith("a.txt,,,unreadable,")
    assert "notes: no image among its files; expected PNG, JPEG" in done.stderr


def test_head_ends_it_quietly(trained, tmp_path):
    arguments = (
        "--input",
        ROOT / "tests" / "samples",
        "--model",
        trained / "mnist_model.h5",
        "--rows-per-write",
        1,
    )
    line = shlex.join(command("infer", *arguments))
    script = ["bash", "-c", f"set -o pipefail; {line} | head -n 1"]
    done = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.startswith("path,prediction,confidence")
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


@pytest.mark.parametrize("flags", [["--inptu", "x"], ["--input", "nowhere"], []])
def test_no_temporary_folder_is_left(trained, tmp_path, flags):
    folder = tmp_path / "temporary"
    folder.mkdir()
    samples = ["--input", ROOT / "tests" / "samples", "--plot", "none"]
    model = ["--model", trained / "mnist_model.h5"]
    run = command("infer", *(flags or [*samples, *model]))
    env = {**os.environ, "TMPDIR": str(folder)}
    done = subprocess.run(run, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == {"--inptu": 2, "--input": 1}.get((flags or [""])[0], 0)
    assert list(folder.iterdir()) == []
