"""Both commands where people start them, and what they leave, whatever their end."""

import csv
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import surroundings
from tests.conftest import ROOT, command, interrupt
from tests.conftest import STOPPING_SIGNALS as SIGNALS
from tests.surroundings import Surroundings
from tests.training.processes import children

STOPPING_SIGNALS = {**SIGNALS, signal.SIGHUP: 129}
SAMPLES = ROOT / "tests" / "samples"
SMALL = ["--dataset", "kmnist", "--batch-size", "16", "--validation-size", "64"]

pytestmark = pytest.mark.skipif(
    bool(surroundings.missing_tools()), reason=surroundings.missing_tools()
)


@pytest.fixture
def hostile() -> Iterator[Surroundings]:
    # Outside of the folders of pytest, which other users cannot enter.
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield Surroundings(folder)
    shutil.rmtree(folder)


@pytest.fixture
def pages(tmp_path, digit_paths) -> Path:
    """A folder of 30,000 digits."""
    for i in range(100):
        (tmp_path / "pages" / str(i)).mkdir(parents=True)
        for path in digit_paths:
            os.link(path, tmp_path / "pages" / str(i) / Path(path).name)
    return tmp_path / "pages"


def wait_for_children(process, count: int) -> list[int]:
    while len(children(process.pid)) < count:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    return children(process.pid)


def test_reading_gives_the_rows_of_friendly_surroundings(hostile, trained, run):
    model = trained / "mnist_model.h5"
    pages = hostile.work / "Zürich 日本"
    shutil.copytree(SAMPLES, pages)
    shutil.copy(SAMPLES / "tinted_2.jpg", pages / "Größe_数_2.jpg")
    friendly = run("infer", "--input", pages, "--model", model)
    arguments = ("--input", pages.name, "--model", model)
    done = hostile.run("infer", *arguments, "--output", "rows.csv")
    assert done.returncode == friendly.returncode == 0, done.stderr
    assert (hostile.work / "rows.csv").read_text("utf-8") == friendly.stdout
    assert (hostile.work / "predictions.png").stat().st_size > 10_000
    assert "Traceback" not in done.stderr
    assert "arning" not in done.stderr
    assert hostile.left_behind() == []


def test_training_leaves_a_model_and_its_plots(hostile, small_dir, trained, run):
    arguments = (*SMALL, "--epochs", 1, "--data-dir", small_dir)
    done = hostile.run("train", *arguments)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    workdir = hostile.work / "runs" / "kmnist"
    plots = {path.name for path in workdir.glob("*.png")}
    assert plots == {"curves.png", "confusion.png", "mistakes.png", "reliability.png"}
    assert (workdir / "report.json").exists()
    resumed = hostile.run("train", *arguments)
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout == done.stdout
    assert hostile.left_behind() == []
    model = hostile.work / "kmnist_model.h5"
    read = run("infer", "--input", SAMPLES, "--model", model, "--plot", "none")
    rows = list(csv.DictReader(read.stdout.splitlines()))
    assert len(rows) == len(list(SAMPLES.iterdir()))


@pytest.mark.parametrize("sign", STOPPING_SIGNALS)
def test_a_stopped_reading_leaves_its_rows_only(hostile, trained, pages, sign):
    arguments = ("--input", pages, "--model", trained / "mnist_model.h5")
    process = hostile.start("infer", *arguments, "--output", "rows.csv")
    wait_for_children(process, 3)
    partial = hostile.work / "rows.csv.partial"
    while not partial.exists() or not partial.stat().st_size:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    with process:
        assert interrupt(process, sign) == STOPPING_SIGNALS[sign]
    assert hostile.left_behind() == []
    assert partial.exists()
    assert {path.name for path in hostile.work.iterdir() if path.suffix == ""} == {
        "cnn",
    }  # fmt: skip


def test_processes_that_are_killed_leave_nothing(hostile, trained, pages):
    arguments = ("--input", pages, "--model", trained / "mnist_model.h5")
    process = hostile.start("infer", *arguments, "--output", "rows.csv")
    for child in wait_for_children(process, 3):
        os.kill(child, signal.SIGKILL)
    _, stderr = process.communicate(timeout=300)
    assert process.returncode == 0, stderr
    rows = (hostile.work / "rows.csv").read_text().splitlines()
    assert len(rows) == 1 + 30_000
    assert (hostile.work / "predictions.png").exists()
    assert hostile.left_behind() == []


@pytest.mark.parametrize("sign", STOPPING_SIGNALS)
def test_a_stopped_training_leaves_nothing_but_its_workdir(hostile, small_dir, sign):
    arguments = (*SMALL, "--epochs", 1000, "--data-dir", small_dir)
    process = hostile.start("train", *arguments)
    metrics = hostile.work / "runs" / "kmnist" / "metrics.jsonl"
    while not metrics.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    with process:
        assert interrupt(process, sign) == STOPPING_SIGNALS[sign]
    assert hostile.left_behind() == []
    assert {path.name for path in hostile.work.iterdir() if path.suffix == ""} == {
        "cnn", "runs",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["infer", "train"])
def test_a_working_directory_that_was_removed_is_one_line(name, tmp_path):
    script = 'mkdir gone; cd gone; rmdir ../gone; exec "$@" --plot none'
    run = ["sh", "-c", script, "sh", *command(name, "--input", "scans", "--model", "m")]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: ")


def test_a_notebook_that_runs_a_command_goes_on(trained, tmp_path, run):
    """`%run bin/infer` executes the file in the process of the notebook."""
    script = tmp_path / "notebook.py"
    arguments = ["--input", SAMPLES, "--model", trained / "mnist_model.h5"]
    script.write_text(
        f"""
import runpy, signal, sys

handler = signal.getsignal(signal.SIGINT)
path = sys.path[:]
for last in ("none", "/no/folder/p.png"):
    sys.argv = [{str(ROOT / "bin" / "infer")!r}, *{list(map(str, arguments))}, "--plot", last]
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        print("status", end.code)
print(signal.getsignal(signal.SIGINT) is handler, sys.path == path)
"""
    )
    notebook = [command("infer")[0], script]
    done = subprocess.run(notebook, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    *rows, status, failure, end = done.stdout.splitlines()
    assert len(rows) == 1 + len(list(SAMPLES.iterdir()))
    assert (status, failure, end) == ("status 0", "status 1", "True True")
