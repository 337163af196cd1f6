"""Rows that survive whatever ends a run: torn files, full disks, kills."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from cnn.inference import local_engine, row_writer
from cnn.inference.csv_lines import read_csv_rows
from tests.conftest import command
from tests.inference.conftest import read_folder, settings


def arguments(config):
    flags = [
        "--input",
        config.input,
        "--model",
        config.model,
        "--output",
        config.output,
    ]
    return command(
        "infer", *flags, "--plot", config.plot, "--rows-per-write", 1, "--workers", 0
    )


@pytest.fixture(scope="module")
def uninterrupted(scans, trained, tmp_path_factory) -> bytes:
    out = tmp_path_factory.mktemp("whole") / "o.csv"
    local_engine.predict_folder(settings(scans, trained, out))
    assert [path.name for path in out.parent.iterdir()] == ["o.csv"]
    return out.read_bytes()


@pytest.mark.parametrize("share", [0, 0.005, 0.3, 0.31, 0.5, 0.77, 0.999, 1])
def test_resume_goes_on_after_the_last_whole_row(
    scans, trained, tmp_path, uninterrupted, share, capsys
):
    out = tmp_path / "o.csv"
    (tmp_path / "o.csv.partial").write_bytes(
        uninterrupted[: int(share * len(uninterrupted))]
    )
    local_engine.predict_folder(
        settings(
            scans, trained, out, resume=True, rows_per_write=7, plot=tmp_path / "p.png"
        )
    )
    assert out.read_bytes() == uninterrupted
    assert not row_writer.partial_path(out).exists()
    assert "41 files: " in capsys.readouterr().err
    assert (tmp_path / "p.png").exists()


def test_resume_reads_no_file_twice(scans, trained, tmp_path, uninterrupted):
    """What an earlier run has written of the first ten files stays, though they are others by now."""
    folder = tmp_path / "scans"
    shutil.copytree(scans, folder)
    rows = uninterrupted.splitlines(keepends=True)
    (tmp_path / "o.csv.partial").write_bytes(b"".join(rows[:12]))
    for i in range(5):
        (folder / f"scan{i}.png").write_text("changed")
    local_engine.predict_folder(
        settings(folder, trained, tmp_path / "o.csv", resume=True)
    )
    assert (tmp_path / "o.csv").read_bytes() == uninterrupted


def test_resume_refuses_rows_of_other_flags_or_another_folder(
    scans, trained, tmp_path, uninterrupted
):
    out, partial = tmp_path / "o.csv", tmp_path / "o.csv.partial"
    partial.write_bytes(uninterrupted)
    with pytest.raises(
        row_writer.OutputError,
        match=r"has the columns path,prediction.* where .*,prediction_2",
    ):
        local_engine.predict_folder(settings(scans, trained, out, resume=True, top_k=2))
    partial.write_bytes(uninterrupted.replace(b"scan5.png", b"scan5b.png"))
    with pytest.raises(
        local_engine.PathError,
        match=r"row 7 is of scan5b\.png, where the folder has scan5\.png",
    ):
        local_engine.predict_folder(settings(scans, trained, out, resume=True))
    partial.write_bytes(uninterrupted + b"zz.png,7,0.9,ok,\n")
    with pytest.raises(
        local_engine.PathError,
        match=r"is of zz\.png, where the folder has nothing now",
    ):
        local_engine.predict_folder(settings(scans, trained, out, resume=True))
    assert partial.read_bytes() == uninterrupted + b"zz.png,7,0.9,ok,\n"
    assert not out.exists()


@pytest.mark.parametrize(
    ("sign", "status"),
    [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGINT, 130)],
)
def test_a_stopped_run_leaves_whole_rows_and_is_continued(
    scans, trained, tmp_path, uninterrupted, sign, status
):
    out, partial = tmp_path / "o.csv", tmp_path / "o.csv.partial"
    run = arguments(settings(scans, trained, out))
    with subprocess.Popen(run, cwd=tmp_path, stderr=subprocess.PIPE) as process:
        while not partial.exists() or partial.stat().st_size < 200:
            assert process.poll() is None
            time.sleep(0.001)
        process.send_signal(sign)
        words = process.stderr.read().decode()
    assert process.returncode in (status, 1)  # It may have come to its end before.
    if process.returncode == status:
        assert uninterrupted.startswith(partial.read_bytes())
        assert not out.exists()
        assert sign == signal.SIGKILL or "--resume continues" in words
    done = subprocess.run(
        [*run, "--resume"], cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert done.returncode == 1  # Of the file that is no image.
    assert out.read_bytes() == uninterrupted


def test_a_full_disk_is_one_line_and_the_rows_are_kept(
    scans, trained, tmp_path, uninterrupted
):
    """A limit of the file's size stands for the disk's."""
    out = tmp_path / "o.csv"
    run = arguments(settings(scans, trained, out))
    assert len(uninterrupted) > 1024
    limited = [
        "bash",
        "-c",
        'ulimit -f 1; exec "$@"',
        "bash",
        *run,
    ]  # One block, of 1024 bytes.
    environment = {**os.environ, "JAX_ENABLE_COMPILATION_CACHE": "0"}
    full = subprocess.run(
        limited, cwd=tmp_path, capture_output=True, text=True, env=environment
    )
    assert full.returncode == 1
    assert (
        "o.csv.partial: File too large; the rows so far are kept there: make room"
        in full.stderr
    )
    assert "Traceback" not in full.stderr
    subprocess.run([*run, "--resume"], cwd=tmp_path, capture_output=True)
    assert out.read_bytes() == uninterrupted


def test_stdout_cannot_be_continued(run):
    done = run("infer", "--input", ".", "--resume")
    assert done.returncode == 2
    assert "--resume: needs --output, the file of the interrupted run" in done.stderr


def read_rows(path: Path) -> list[list[str]]:
    with open(path, "rb") as file:
        _, *rows = [row for row, _ in read_csv_rows(file)]
    return rows


def children_of(process: subprocess.Popen) -> list[int]:
    """The processes of a session but its first."""
    listed = subprocess.run(
        ["ps", "-s", str(process.pid), "-o", "pid="], capture_output=True
    )
    return [pid for pid in map(int, listed.stdout.split()) if pid != process.pid]


def wait_for_rows(process: subprocess.Popen, partial: Path, num_bytes: int) -> None:
    """Waits until a run has written more than a number of bytes, or has ended."""
    while process.poll() is None:
        if partial.exists() and partial.stat().st_size > num_bytes:
            return
        time.sleep(0.01)


def wait_for_children(process: subprocess.Popen, count: int) -> None:
    """Waits until a run has so many processes again, or has ended."""
    while process.poll() is None and len(children_of(process)) < count:
        time.sleep(0.1)


def test_whichever_processes_are_killed_the_rows_and_the_plot_are_those_of_a_quiet_run(
    scans, trained, tmp_path, uninterrupted
):
    """All but the command itself: those that decode, draw, and start the others."""
    many = tmp_path / "many"
    for i in range(60):
        (many / str(i)).mkdir(parents=True)
        for path in scans.iterdir():
            os.link(path, many / str(i) / path.name)
    out = tmp_path / "o.csv"
    plot = tmp_path / "p.png"
    quiet = tmp_path / "quiet.csv"
    quiet.write_bytes(uninterrupted)
    flags = ["--input", many, "--model", trained / "mnist_model.h5", "--output", out]
    run = command("infer", *flags, "--plot", plot, "--rows-per-write", 16)
    partial = row_writer.partial_path(out)
    with subprocess.Popen(
        run, cwd=tmp_path, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        count = 0
        for kills in range(3):
            wait_for_rows(process, partial, kills * len(uninterrupted))
            wait_for_children(process, count)
            children = children_of(process)
            for pid in children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            count = len(children) - (kills == 0)  # That which draws is not replaced.
        words = process.stderr.read().decode()
    assert process.returncode == 1, words  # Of the file that is no image.
    assert out.exists(), words
    rows = read_rows(out)
    expected = read_rows(quiet)
    assert [row[1:5] for row in rows] == 60 * [row[1:5] for row in expected]
    assert plot.exists()


def test_an_output_that_is_no_regular_file_is_written_to_and_a_link_is_followed(
    digits, model, tmp_path
):
    (tmp_path / "real.csv").write_text("before")
    (tmp_path / "link.csv").symlink_to("real.csv")
    read_folder(digits, model, tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text().startswith("path,prediction")
    os.mkfifo(tmp_path / "pipe")
    script = command(
        "infer",
        "--input",
        digits,
        "--model",
        model,
        "--output",
        "pipe",
        "--plot",
        "none",
    )
    with subprocess.Popen(script, cwd=tmp_path, stderr=subprocess.DEVNULL):
        assert (tmp_path / "pipe").read_text().startswith("path,prediction")
    assert (tmp_path / "pipe").is_fifo()
