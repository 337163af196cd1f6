"""Rows that survive whatever ends a run: torn files, full disks, kills."""

import contextlib
import csv
import dataclasses
import io
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pyarrow import parquet

from cnn.config import InferConfig
from cnn.inference import local_engine, row_formats, row_writer
from tests.conftest import command

CELLS = st.lists(st.text("ab7,\"'\r\n=-\udcff ü", max_size=6), min_size=2, max_size=2)
HEADER = ["path", "prediction"]


@given(CELLS)
def test_a_row_parses_back_to_its_cells(row):
    text = row_formats.csv_line(row)
    assert list(csv.reader(io.StringIO(text, newline=""), strict=True)) == [row]


@given(st.lists(CELLS, max_size=5), st.integers(0, 10**6))
def test_of_a_file_torn_anywhere_the_whole_rows_are_found(rows, cut):
    lines = [
        row_formats.csv_line(row).encode("utf-8", "surrogateescape") for row in rows
    ]
    ends = [sum(map(len, lines[: i + 1])) for i in range(len(lines))]
    cut %= sum(map(len, lines)) + 1
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"".join(lines)[:cut])
        file.flush()
        found = list(row_formats.csv_rows(Path(file.name)))
    assert found == [
        (row, end) for row, end in zip(rows, ends, strict=True) if end <= cut
    ]


NAMES = row_formats.Schema(
    ["path", "prediction", "confidence"], frozenset({"confidence"})
)


@given(st.lists(CELLS, max_size=5), st.integers(0, 10**6))
def test_json_lines_parse_back_wherever_they_are_torn(rows, cut):
    rows = [[*row, "0.250000"] for row in rows]
    lines = [row_formats.json_line(NAMES, row).encode() for row in rows]
    ends = [sum(map(len, lines[: i + 1])) for i in range(len(lines))]
    cut %= sum(map(len, lines)) + 1
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"".join(lines)[:cut])
        file.flush()
        found = list(row_formats.json_rows(Path(file.name)))
    expected = [
        (dict(zip(NAMES.names, row, strict=True)), end)
        for row, end in zip(rows, ends, strict=True)
    ]
    assert found == [(row, end) for row, end in expected if end <= cut]
    for line, row in zip(lines, rows, strict=True):
        assert json.loads(line) == {
            "path": row[0] or None,
            "prediction": row[1] or None,
            "confidence": 0.25,
        }


@pytest.fixture(scope="module")
def scans(mnist_test, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    for i in range(40):
        Image.fromarray(mnist_test.images[i, ..., 0]).save(folder / f"scan{i}.png")
    shutil.copy(folder / "scan0.png", folder / 'new\nline, "scan11" \r.png')
    (folder / "scan12.png").write_text("no image")
    return folder


def settings(scans, trained, out, **others):
    return InferConfig(
        **{
            "input": scans,
            "model": trained / "mnist_model.h5",
            "output": out,
            "plot": Path("none"),
            **others,
        }
    )


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
        local_engine.InferError,
        match=r"row 7 is of scan5b\.png, where the folder has scan5\.png",
    ):
        local_engine.predict_folder(settings(scans, trained, out, resume=True))
    partial.write_bytes(uninterrupted + b"zz.png,7,0.9,ok,\n")
    with pytest.raises(
        local_engine.InferError,
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
    assert (
        "--resume: stdout cannot be continued; give the --output that was stopped"
        in done.stderr
    )


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_other_formats_hold_the_same_rows_and_are_continued(
    scans, trained, tmp_path, ending
):
    folder = tmp_path / "scans"
    shutil.copytree(scans, folder)
    shutil.copy(folder / "scan0.png", folder / os.fsdecode(b"zz\xff.png"))
    out, table = tmp_path / f"o.{ending}", tmp_path / "o.csv"
    local_engine.predict_folder(
        settings(folder, trained, table, top_k=2, probabilities=True)
    )
    config = settings(folder, trained, out, top_k=2, probabilities=True)
    local_engine.predict_folder(config)
    whole = out.read_bytes()
    names, *rows = [row for row, _ in row_formats.csv_rows(table)]
    texts = {"path", "prediction", "status", "detail", "prediction_2"}
    expected = [
        {
            n: (c if n in texts else float(c)) if c else None
            for n, c in zip(names, row, strict=True)
        }
        for row in rows
    ]
    if ending == "jsonl":
        assert [json.loads(line) for line in whole.decode().splitlines()] == expected
        (tmp_path / "o.jsonl.partial").write_bytes(whole[: len(whole) // 2])
    else:
        expected[-1]["path"] = "zz\\xff.png"
        assert parquet.read_table(out).to_pylist() == expected
        (tmp_path / "o.parquet.partial").write_bytes(table.read_bytes()[:999])
    out.unlink()
    local_engine.predict_folder(dataclasses.replace(config, resume=True))
    assert out.read_bytes() == whole
    assert not row_writer.partial_path(out).exists()


def test_parquet_needs_a_file(scans, trained, run):
    done = run(
        "infer",
        "--input",
        scans,
        "--model",
        trained / "mnist_model.h5",
        "--format",
        "parquet",
    )
    assert done.returncode == 1
    assert (
        "--format parquet: is written to a regular file only; name one with --output"
        in done.stderr
    )


def test_whichever_processes_are_killed_the_rows_and_the_plot_are_those_of_a_quiet_run(
    scans, trained, tmp_path, uninterrupted
):
    """All but the command itself: those that decode, that which draws, that which starts them."""
    many = tmp_path / "many"
    for i in range(60):
        (many / str(i)).mkdir(parents=True)
        for path in scans.iterdir():
            os.link(path, many / str(i) / path.name)
    out, plot, quiet = tmp_path / "o.csv", tmp_path / "p.png", tmp_path / "quiet.csv"
    quiet.write_bytes(uninterrupted)
    run = command(
        "infer", "--input", many, "--model", trained / "mnist_model.h5", "--output", out
    )
    with subprocess.Popen(
        [*run, "--plot", plot],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        for _ in range(3):
            time.sleep(1)
            listed = subprocess.run(
                ["ps", "-s", str(process.pid), "-o", "pid="], capture_output=True
            )
            for pid in map(int, listed.stdout.split()):
                if pid != process.pid:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
        words = process.stderr.read().decode()
    assert process.returncode == 1, words  # Of the file that is no image.
    rows = [row for row, _ in row_formats.csv_rows(out)][1:]
    expected = [row for row, _ in row_formats.csv_rows(quiet)][1:]
    assert [row[1:5] for row in rows] == 60 * [row[1:5] for row in expected]
    assert plot.exists()
