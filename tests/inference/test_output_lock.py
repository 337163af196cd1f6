"""One output has one writer."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from cnn.atomic_write import remove_temporary_files
from cnn.config import InferConfig
from cnn.inference import local_engine, ray_engine
from cnn.inference.row_formats import CsvFormat, OutputError
from cnn.inference.row_writer import lock_output, open_writer, partial_path
from cnn.inference.schema import Row, Schema
from tests.conftest import command
from tests.inference.conftest import settings


@pytest.fixture
def out(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "o.csv").write_text("before")
    (tmp_path / "o.csv.partial").write_text("rows")
    (tmp_path / "sub").mkdir()
    (tmp_path / "link.csv").symlink_to("o.csv")
    (tmp_path / "here").symlink_to(".")
    return tmp_path / "o.csv"


@pytest.mark.parametrize(
    "name", ["o.csv", "./sub/../o.csv", "link.csv", "here/link.csv"]
)
@pytest.mark.parametrize("resume", [False, True])
def test_a_second_run_stops_and_touches_nothing(out, name, resume, scans):
    words = f"^{Path(name)}: another run is writing it; wait for its end, or give"
    config = InferConfig(input=scans, output=Path(name), resume=resume)
    with lock_output(out), pytest.raises(OutputError, match=words):
        local_engine.predict_folder(config)
    assert out.read_text() == "before"
    assert partial_path(out).read_text() == "rows"


def test_another_format_of_the_same_output_has_the_same_lock(out, scans):
    bare = out.with_suffix("")
    config = InferConfig(input=scans, output=bare, format="jsonl")
    with lock_output(bare), pytest.raises(OutputError, match="o: another run is writ"):
        local_engine.predict_folder(config)


def test_a_folder_of_ray_has_one_writer(tmp_path, scans):
    config = InferConfig(input=scans, output=tmp_path / "rows", engine="ray")
    with (
        lock_output(tmp_path / "rows"),
        pytest.raises(OutputError, match="rows: another run is writing it"),
    ):
        ray_engine.predict_with_ray(config)
    assert os.listdir(tmp_path) == []


def test_a_partial_file_without_rows_is_removed_whatever_ends_the_run(tmp_path):
    out = tmp_path / "o.csv"
    with lock_output(out):
        assert os.listdir(tmp_path) == ["o.csv.partial"]
        remove_temporary_files()  # As before `os._exit`.
        assert os.listdir(tmp_path) == []
    with pytest.raises(KeyError), lock_output(out):
        raise KeyError
    assert os.listdir(tmp_path) == []


def test_a_partial_file_with_rows_stays(out):
    with lock_output(out):
        remove_temporary_files()
    assert partial_path(out).read_text() == "rows"


def test_special_files_have_no_lock(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (None, Path("/dev/null"), tmp_path / "pipe", Path("/dev/fd/2")):
        with lock_output(path), lock_output(path):
            pass
    assert os.listdir(tmp_path) == ["pipe"]


def test_the_first_of_two_runs_writes_all_its_rows(scans, trained, tmp_path):
    config = settings(scans, trained, tmp_path / "o.csv")
    flags = ["--model", config.model, "--plot", "none", "--output", config.output]
    first_line = command("infer", "--input", scans, *flags, "--rows-per-write", 1)
    with subprocess.Popen(first_line, cwd=tmp_path, stderr=subprocess.PIPE) as first:
        while not partial_path(config.output).exists() and first.poll() is None:
            time.sleep(0.001)
        first.send_signal(signal.SIGSTOP)  # It is quicker than another's start.
        image = scans / "scan0.png"
        second = subprocess.run(
            command("infer", "--input", image, *flags),
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        first.send_signal(signal.SIGCONT)
        words = first.stderr.read().decode()
    assert second.returncode == 1
    assert second.stderr == (
        f"error: {config.output}: another run is writing it; wait for its end, or give "
        "another --output\n"
    )
    assert first.returncode == 1, words  # Of the file that is no image.
    rows = config.output.read_bytes()
    assert b"\0" not in rows
    assert rows.count(b".png") == 41
    assert os.listdir(tmp_path) == ["o.csv"]


def test_a_second_writer_is_noticed_where_a_disk_has_no_locks(tmp_path):
    """The first run would else go on in the file that the second has finished."""
    out = tmp_path / "o.csv"
    row_format = CsvFormat(Schema("01", False, 1, False))
    row = Row("a.png", "1", 0.9, "ok", None)
    with contextlib.ExitStack() as stack:
        write_first = stack.enter_context(open_writer(out, row_format))
        write_first([row])
        with open_writer(out, row_format) as write_second:
            write_second([row])
        finished = out.read_bytes()
        with pytest.raises(OutputError, match="another run has written it meanwhile"):
            write_first([row])
        stack.pop_all()
    assert out.read_bytes() == finished
