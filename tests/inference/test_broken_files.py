"""Whatever a file is, it has its own row and harms no other."""

import csv
import os
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from cnn.preprocessing import pipeline
from tests.broken import KINDS, Break, break_file, whole_files
from tests.conftest import ROOT, command

BREAKS = st.builds(
    Break,
    st.sampled_from(KINDS),
    st.floats(0, 0.999),
    st.integers(1, 40),
    st.integers(1, 255),
)


@pytest.fixture(scope="module")
def whole(mnist_test) -> list[bytes]:
    return whole_files(mnist_test.images[:84, ..., 0])


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("broken")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.integers(0, 83),
            st.integers(0, 83),
            st.lists(BREAKS, min_size=1, max_size=3),
        ),
        min_size=11,
        max_size=11,
    )
)
def test_broken_files_have_rows_and_harm_no_neighbor(whole, places, made):
    """2,200 of them, each between two whole ones."""
    paths, expected = [], {}
    for i, (one, other, breaks) in enumerate(made):
        for name, content in (
            (f"{i}.png", whole[i]),
            (f"{i}b", break_file(whole[one], whole[other], breaks)),
        ):
            paths.append(str(places / name))
            Path(paths[-1]).write_bytes(content)
        expected[2 * i] = pipeline.preprocess_file(paths[-2], "mnist")
    begun = []
    found = pipeline.preprocess_files(paths, "mnist", begun.append)
    assert begun == list(range(len(paths) + 1))  # By which a file that hangs is known.
    assert len(found) == len(paths)
    for i, alone in expected.items():
        assert found[i][1:3] == alone[1:3]
        np.testing.assert_array_equal(found[i].candidates, alone.candidates)
    for decoded in found:
        assert decoded.status in ("ok", "blank", "unreadable")
        assert (decoded.candidates is not None) == (decoded.status == "ok")
        assert "\n" not in decoded.detail
        assert decoded.status == "ok" or decoded.detail


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    parts = [
        len(b).to_bytes(4, "big") + k + b + zlib.crc32(k + b).to_bytes(4, "big")
        for k, b in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def header(width: int, height: int) -> tuple[bytes, bytes]:
    return b"IHDR", width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes(
        [8, 0, 0, 0, 0]
    )


@pytest.fixture(scope="module")
def odd(mnist_test, tmp_path_factory) -> Path:
    """A folder of what may lie about, and a digit as its last file."""
    folder = tmp_path_factory.mktemp("odd")
    digit = Image.fromarray(mnist_test.images[0, ..., 0])
    rows = zlib.compress(bytes(28 * 29))
    bomb = (b"zTXt", b"Comment\0\0" + zlib.compress(bytes(50_000_000), 9))
    (folder / "bomb.png").write_bytes(
        png(header(60_000, 60_000), (b"IDAT", rows), (b"IEND", b""))
    )
    (folder / "text bomb.png").write_bytes(
        png(header(28, 28), bomb, (b"IDAT", rows), (b"IEND", b""))
    )
    with open(folder / "zeros.png", "wb") as file:
        file.truncate(4 << 30)
    digit.save(folder / "pages.tiff", save_all=True, append_images=[digit] * 1999)
    digit.save(
        folder / "moving.gif",
        save_all=True,
        append_images=[Image.new("L", (28, 28), 255)] * 3,
    )
    os.mkfifo(folder / "pipe.png")
    (folder / "folder.png").mkdir()
    digit.save(folder / "folder.png" / "inside.png")
    (folder / "loop.png").symlink_to("loop.png")
    (folder / "dangling.png").symlink_to("nowhere")
    (folder / "up.png").symlink_to("..")
    (folder / "up").symlink_to("..")
    (folder / "device.png").symlink_to("/dev/zero")
    (folder / "empty.png").touch()
    for name in (
        "-7.png",
        "=7.png",
        "a,b\n\r\"'.png",
        "x" * 251 + ".png",
        "ü.png",
        os.fsdecode(b"\xff.png"),
    ):
        digit.save(folder / name, "PNG")
    return folder


@pytest.mark.parametrize("workers", [0, None])
def test_whatever_lies_in_a_folder_has_a_row(
    odd, trained, mnist_test, tmp_path, workers
):
    flags = ["--workers", workers] * (workers is not None)
    run = command(
        "infer",
        "--input",
        odd,
        "--model",
        trained / "mnist_model.h5",
        "--plot",
        "none",
        *flags,
    )
    done = subprocess.run(
        run, cwd=tmp_path, capture_output=True, timeout=100, check=False
    )
    assert done.returncode == 1
    words = done.stderr.decode()
    assert "Traceback" not in words
    assert f"warning: {odd}/up: left out: a link to a folder" in words
    text = done.stdout.decode("utf-8", "surrogateescape")
    rows = list(csv.DictReader(text.splitlines(keepends=True)))
    # A TIFF of 2,000 pages, and an animation whose other frames are blank.
    assert sum(row["path"] == "pages.tiff" for row in rows) == 2000
    frames = [row["status"] for row in rows if row["path"] == "moving.gif"]
    assert len(frames) > 1
    assert set(frames[1:]) == {"blank"}
    found = {row["path"]: row for row in rows if row["page"] == "1"}
    details = {
        path: row["detail"]
        for path, row in found.items()
        if row["status"] == "unreadable"
    }
    assert details.pop("text bomb.png")
    assert details == {
        "bomb.png": "too large: more than 178,956,970 pixels",
        "zeros.png": "not an image (expected PNG, JPEG, BMP, GIF, TIFF, WEBP, PPM, AVIF, HEIC, PDF)",
        "pipe.png": "not a regular file",
        "folder.png": "a folder, not an image",
        "loop.png": "cannot be read: too many levels of symbolic links",
        "dangling.png": "a link to a file that is not there",
        "up.png": "a folder, not an image",
        "device.png": "not a regular file",
        "empty.png": "empty file",
    }
    good = {
        path
        for path, row in found.items()
        if row["prediction"] == str(mnist_test.labels[0])
    }
    names = {
        path.name for path in odd.iterdir() if path.is_file() and path.suffix == ".png"
    }
    assert good == (
        names | {"pages.tiff", "moving.gif", "folder.png/inside.png"}
    ) - set(details) - {"text bomb.png"}


def test_an_output_nobody_reads_on_ends_quietly(odd, trained, tmp_path):
    run = command(
        "infer",
        "--input",
        odd,
        "--model",
        trained / "mnist_model.h5",
        "--rows-per-write",
        1,
    )
    with subprocess.Popen(
        run, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        words = process.stderr.read().decode()
    assert process.returncode == 141
    assert [
        line for line in words.splitlines() if not line.startswith("warning: ")
    ] == []


def test_a_file_is_opened_once(mnist_test, tmp_path):
    digit = Image.fromarray(mnist_test.images[0, ..., 0])
    digit.save(tmp_path / "a.png")
    digit.resize((300, 300)).save(tmp_path / "b.png")
    digit.resize((3000, 3000)).save(tmp_path / "c.jpg")
    digit.convert("RGB").save(tmp_path / "d.tiff")
    (tmp_path / "e.png").write_bytes((tmp_path / "b.png").read_bytes()[:500])
    script = """
import os, sys
from cnn.preprocessing import pipeline

folder = sys.argv[1]
opened = []

def record(event, arguments):
    if event == "open" and str(arguments[0]).startswith(folder):
        opened.append(os.path.basename(arguments[0]))

names = sorted(os.listdir(folder))
sys.addaudithook(record)
pipeline.preprocess_files([os.path.join(folder, name) for name in names], "mnist")
print(opened == names)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.stdout == "True\n", done.stderr
