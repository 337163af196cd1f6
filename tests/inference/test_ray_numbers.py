"""Numbers on a Ray cluster: the rows of the local engine, in some order."""

import csv
import io
import json
import os
import subprocess

import pytest
from PIL import Image

from tests.conftest import command
from tests.inference.numbers import draw_number, draw_page

pytest.importorskip("ray")


@pytest.fixture(scope="module")
def folder(mnist_test, tmp_path_factory):
    """Lines, a TIFF of two pages and what is no image, under odd names."""
    top = tmp_path_factory.mktemp("scans")
    for i in range(6):
        picture, _ = draw_number(mnist_test, [i, i + 1])
        Image.fromarray(picture).save(top / f"scan{i}.png")
    first, _ = draw_page(mnist_test, [[[0, 1], [2]], [[3, 4]]])
    second, _ = draw_page(mnist_test, [[[5]]])
    first.save(top / 'a,"b"\n.tif', save_all=True, append_images=[second])
    first.save(top / os.fsdecode(b"\xff.png"))
    (top / "text.png").write_text("no image")
    return top


def infer(*arguments, cwd):
    run = command("infer", *arguments, "--plot", "none")
    done = subprocess.run(run, cwd=cwd, capture_output=True, text=True, timeout=400)
    assert done.returncode == 1, done.stderr  # Of the file that is no image.
    return done


def parsed(data: bytes) -> list[list[str]]:
    text = data.decode("utf-8", "surrogateescape")
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def rows_of(folder) -> list[list[str]]:
    return sorted(
        row for path in folder.iterdir() for row in parsed(path.read_bytes())[1:]
    )


def test_pages_on_ray_have_the_rows_of_the_local_engine(folder, trained, tmp_path):
    flags = ["--input", folder, "--model", trained / "mnist_model.h5"]
    flags += ["--layout", "page", "--boxes", "--separators", ".,"]
    flags += ["--region", "upper=0,0,1,0.5", "1/3=0,0.3333333333333333,1,1"]
    local = infer(*flags, "--output", "o.csv", cwd=tmp_path)
    remote = infer(*flags, "--output", "out", "--engine", "ray", cwd=tmp_path)
    expected = parsed((tmp_path / "o.csv").read_bytes())
    assert expected[0][:4] == ["path", "page", "region", "line"]
    assert rows_of(tmp_path / "out") == sorted(expected[1:])
    summary = local.stderr.splitlines()[-1].partition(";")[0]
    assert summary.startswith("20 regions, ")
    assert summary in remote.stderr


def test_lines_on_ray_have_labels_and_characters(folder, trained, tmp_path):
    (tmp_path / "l.csv").write_text("path,label\nscan0.png,123\nscan1.png,4\n")
    flags = ["--input", folder, "--model", trained / "mnist_model.h5"]
    flags += ["--layout", "line", "--labels", "l.csv"]
    flags += ["--format", "jsonl"]
    local = infer(*flags, "--output", "o.jsonl", cwd=tmp_path)
    remote = infer(*flags, "--output", "out", "--engine", "ray", cwd=tmp_path)
    expected = (tmp_path / "o.jsonl").read_bytes().splitlines()
    found = [
        line
        for path in (tmp_path / "out").iterdir()
        for line in path.read_bytes().splitlines()
    ]
    assert sorted(found) == sorted(expected)
    rows = [json.loads(line) for line in found]
    assert {type(row["characters"]) for row in rows} == {list}
    assert {row["label"] for row in rows} == {"123", "4", None}
    words = local.stderr.splitlines()[-1].split("; ")[:2]
    assert "labelled numbers, CER " in words[1]
    assert "; ".join(words) in remote.stderr
