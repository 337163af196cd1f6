"""Outputs that cannot be replaced by renaming, as files mounted into a container."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from cnn.atomic_write import atomic_write, find_write_problem, is_written_in_place
from cnn.inference import local_engine, row_writer
from cnn.inference.row_formats import ParquetFormat
from cnn.inference.schema import Row, Schema
from tests.conftest import ROOT, command
from tests.inference.conftest import settings

MOUNTS = ["unshare", "-m", "sh", "-ec"]


@pytest.fixture(scope="module", autouse=True)
def _needs_root():
    if (
        os.geteuid()
        or subprocess.run([*MOUNTS, "true"], capture_output=True).returncode
    ):
        pytest.skip("needs root and a mount namespace")


def run_mounted(mounts: str, line: list[str], folder: Path):
    """Runs a command after shell commands that mount something."""
    script = [*MOUNTS, f'{mounts}; exec "$@"', "sh", *line]
    return subprocess.run(script, cwd=folder, capture_output=True, text=True)


def test_mounted_files_are_written_in_place_and_an_output_is_continued(
    scans, trained, tmp_path
):
    """In a folder that is read-only but for both files."""
    whole = tmp_path / "whole.csv"
    local_engine.predict_folder(settings(scans, trained, whole))
    folder = tmp_path / "mounted"
    folder.mkdir()
    for name in ("o.csv", "p.png"):
        (tmp_path / name).touch()
        (folder / name).write_text("below")
    (tmp_path / "o.csv").write_bytes(whole.read_bytes()[:500])
    mounts = (
        "mount --bind mounted mounted; mount --bind o.csv mounted/o.csv; "
        "mount --bind p.png mounted/p.png; mount -o remount,ro,bind mounted"
    )
    flags = ["--input", scans, "--model", trained / "mnist_model.h5", "--resume"]
    outputs = ["--output", "mounted/o.csv", "--plot", "mounted/p.png"]
    done = run_mounted(mounts, command("infer", *flags, *outputs), tmp_path)
    assert done.returncode == 1, done.stderr  # Of the file that is no image.
    assert "error" not in done.stderr
    assert (tmp_path / "o.csv").read_bytes() == whole.read_bytes()
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(os.listdir(folder)) == ["o.csv", "p.png"]


def test_a_mounted_file_is_known_by_a_name_with_spaces(tmp_path):
    for name in ("a", "b", "m \\n.h5"):
        (tmp_path / name).touch()
    code = (
        "from cnn.atomic_write import is_written_in_place as f; "
        r"print(f('m \\n.h5'), f('a'), f('none'))"
    )
    mount = r"mount --bind a 'm \n.h5'"
    line = ["env", f"PYTHONPATH={ROOT}", sys.executable, "-c", code]
    done = run_mounted(mount, line, tmp_path)
    assert done.stdout == "True False False\n", done.stderr


def test_the_file_of_another_user_in_a_sticky_folder_stays(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("before")
    tmp_path.chmod(0o1777)
    os.chown(tmp_path, 1234, -1)
    os.chown(tmp_path / "a", 1235, -1)
    for user, in_place in ((0, False), (1234, False), (1235, False), (1236, True)):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)
        assert is_written_in_place(tmp_path / "a") == in_place
    with atomic_write(tmp_path / "a") as path:
        path.write_text("after")
    assert (tmp_path / "a").stat().st_uid == 1235
    assert row_writer.partial_path(tmp_path / "a") == tmp_path / "a"
    tmp_path.chmod(0o777)
    assert not is_written_in_place(tmp_path / "a")


@pytest.fixture
def open_folder():
    """A folder that other users may enter, as they may not enter `tmp_path`."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def test_a_user_without_permission_is_told_before_the_work(open_folder):
    for name, mode in (("mine", 0o666), ("theirs", 0o644)):
        (open_folder / name).touch()
        (open_folder / name).chmod(mode)
    paths = [open_folder / name for name in ("mine", "theirs", "new")]
    os.setresuid(65534, 0, 0)  # os.access asks for the real user.
    try:
        problems = [find_write_problem(path, "--plot") for path in paths]
    finally:
        os.setresuid(0, 0, 0)
    assert problems == [
        None,  # It is written in place.
        f"{paths[1]}: no permission to write this file; give another --plot",
        f"{open_folder}: no permission to write there; give another --plot",
    ]


def test_a_parquet_file_is_made_in_its_own_partial_file(tmp_path):
    from pyarrow import parquet

    row_format = ParquetFormat(Schema(("7",)))
    out = tmp_path / "o.parquet"
    row = Row("a.png", "7", 0.5, "ok", None)
    out.write_bytes(row_format.header() + row_format.encode([row]))
    row_format.finish(out, out)
    assert [found["path"] for found in parquet.read_table(out).to_pylist()] == ["a.png"]
