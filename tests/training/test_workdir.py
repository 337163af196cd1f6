import json
import subprocess
import sys
from dataclasses import replace

import pytest

from cnn.config import TrainConfig
from cnn.training.resume_checks import WorkdirError
from cnn.training.workdir import PLOT_FILES, open_workdir
from tests.conftest import ROOT

ROW = {"epoch": 1, "loss": 0.5, "accuracy": 0.9, "seconds": 2.0}
VALIDATED = {"loss": 0.25, "accuracy": 0.95}


@pytest.fixture
def config(tmp_path):
    return TrainConfig(epochs=3, workdir=tmp_path / "run", model=tmp_path / "model.h5")


def log_epoch(run, epoch):
    metrics = {"loss": 0.5, "accuracy": 0.9, "seconds": 2.0}
    run.log_epoch(epoch, metrics, VALIDATED, 1e-3, 1000)


def test_an_epoch_is_a_row_of_metrics_and_of_the_table(config, capsys):
    with open_workdir(config) as run:
        run.start(0)
        log_epoch(run, 1)
        (row,) = run.read_metrics()
    assert row == {
        **ROW,
        "val_loss": 0.25,
        "val_accuracy": 0.95,
        "learning_rate": 1e-3,
        "images_per_second": 500.0,
    }
    header, line = capsys.readouterr().err.splitlines()
    assert len(header) == len(line)
    assert line.split() == [
        "1", "0.5000", "90.00%", "0.2500", "95.00%", "1.00e-03", "500", "0:00:04",
    ]  # fmt: skip


def test_a_resumed_run_drops_the_metrics_after_its_checkpoint(config, capsys):
    with open_workdir(config) as run:
        run.start(0)
        log_epoch(run, 1)
        log_epoch(run, 2)
        run.start(1)
        assert [row["epoch"] for row in run.read_metrics()] == [1]
    assert f"continuing {run.folder} after epoch 1 of 3" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line", ["", "{", "[]", '{"epoch": 2}', json.dumps(ROW), "\ufffd"]
)
def test_incomplete_rows_are_skipped(config, line):
    with open_workdir(config) as run:
        run.start(0)
        with open(run.folder / "metrics.jsonl", "a") as file:
            file.write(line + "\n")
        log_epoch(run, 1)
        assert [row["epoch"] for row in run.read_metrics()] == [1]


def test_clear_deletes_the_run_and_nothing_else(config):
    with open_workdir(config) as run:
        run.start(0)
        for name in (*PLOT_FILES, "report.json", "notes.txt"):
            (run.folder / name).touch()
        for name in ("1", "22", "important"):
            (run.checkpoints / name).mkdir(parents=True)
        run.clear()
        left = {path.name for path in run.folder.rglob("*")}
    assert left == {".lock", "checkpoints", "important", "notes.txt"}


def test_the_report_has_results_times_and_versions(config):
    with open_workdir(config) as run:
        run.start(0)
        log_epoch(run, 1)
        log_epoch(run, 2)
        report = run.write_report({"test": {"accuracy": 1.0}})
        assert json.loads((run.folder / "report.json").read_text()) == report
    assert report["test"] == {"accuracy": 1.0}
    assert report["training_seconds"] == 4.0
    assert {"cnn", "python", "jax", "numpy"} <= set(report["versions"])


BUSY = "another training is running there; wait for it, or give another --workdir"


def test_a_second_training_is_refused_until_the_first_ends(config):
    with (
        open_workdir(config) as run,
        pytest.raises(WorkdirError) as refused,
        open_workdir(config),
    ):
        pass
    assert str(refused.value) == f"{run.folder}: {BUSY}"
    with open_workdir(config):
        pass


def test_a_killed_training_leaves_no_lock(config):
    script = (
        "import sys, pathlib; from cnn.config import TrainConfig\n"
        "from cnn.training.workdir import open_workdir\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "config = TrainConfig(workdir=folder / 'run', model=folder / 'model.h5')\n"
        "with open_workdir(config):\n"
        "    print('locked', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, config.workdir.parent],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout.readline() == "locked\n"
        with pytest.raises(WorkdirError, match=BUSY), open_workdir(config):
            pass
        process.kill()
    with open_workdir(config):
        pass


def test_a_failed_training_leaves_no_lock(config):
    with pytest.raises(ZeroDivisionError), open_workdir(config):
        raise ZeroDivisionError
    with open_workdir(config):
        pass


def test_only_the_first_host_writes(config, monkeypatch, capsys):
    monkeypatch.setattr("jax.process_index", lambda: 1)
    with open_workdir(config) as run:
        run.start(0)
        log_epoch(run, 1)
        run.write_report({})
        run.clear()
    assert not config.workdir.exists()
    assert capsys.readouterr().err == ""


def test_other_settings_are_refused(config):
    with open_workdir(config) as run:
        run.start(0)
        (run.checkpoints / "1").mkdir(parents=True)
    other = replace(config, learning_rate=0.5)
    words = "its run has --learning-rate 0.004, not 0.5; give another --workdir"
    with pytest.raises(WorkdirError, match=words), open_workdir(other):
        pass
    with open_workdir(replace(other, restart=True)):
        pass
