"""Reading by Ray: the rows of the local engine, also when a machine is lost on the way."""

import csv
import io
import os
import subprocess
import time
from pathlib import Path

import pytest
from PIL import Image
from pyarrow import parquet

from tests.conftest import command


@pytest.fixture(scope="module")
def folder(mnist_test, tmp_path_factory) -> Path:
    """Names for the same forty digits, and what is none."""
    top = tmp_path_factory.mktemp("names")
    for i in range(40):
        Image.fromarray(mnist_test.images[i, ..., 0]).save(top / f"{i}.png")
    for i in range(40, 24_000):
        os.link(top / f"{i % 40}.png", top / f"{i}.png")
    os.link(top / "0.png", top / 'a,"b"\n.png')
    os.link(top / "1.png", top / os.fsdecode(b"\xff.png"))
    (top / "text.png").write_text("no image")
    return top


def infer(*arguments, cwd, check=False):
    run = command("infer", *arguments, "--plot", "none")
    return subprocess.run(
        run, cwd=cwd, capture_output=True, text=True, timeout=400, check=check
    )


def parsed(data: bytes) -> list[list[str]]:
    return list(
        csv.reader(
            io.StringIO(data.decode("utf-8", "surrogateescape"), newline=""),
            strict=True,
        )
    )


def rows_of(out: Path) -> list[list[str]]:
    """The rows of all files, in some order; each file has the header."""
    tables = [parsed(path.read_bytes()) for path in out.iterdir()]
    assert {tuple(header) for header, *_ in tables} == {tuple(tables[0][0])}
    return sorted(row for _, *rows in tables for row in rows)


@pytest.fixture(scope="module")
def local(folder, trained, tmp_path_factory) -> list[list[str]]:
    out = tmp_path_factory.mktemp("local") / "o.csv"
    infer(
        "--input",
        folder,
        "--model",
        trained / "mnist_model.h5",
        "--output",
        out,
        cwd=out.parent,
    )
    return sorted(parsed(out.read_bytes())[1:])


def test_ray_on_one_machine_gives_the_rows_of_the_local_engine(
    folder, trained, local, tmp_path
):
    model = trained / "mnist_model.h5"
    done = infer(
        "--input",
        folder,
        "--model",
        model,
        "--output",
        "out",
        "--engine",
        "ray",
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert "24,003 files: " in done.stderr
    assert "1 unreadable" in done.stderr
    assert rows_of(tmp_path / "out") == local
    assert len(list((tmp_path / "out").iterdir())) == 12  # Blocks of 2,048 names.
    again = infer(
        "--input",
        folder,
        "--model",
        model,
        "--output",
        "out",
        "--engine",
        "ray",
        cwd=tmp_path,
    )
    assert again.returncode == 1
    assert (
        "out: is there already; give an --output that is new, or an empty folder"
        in again.stderr
    )


def test_ray_reads_uris_and_writes_parquet(folder, trained, local, tmp_path):
    some = tmp_path / "some"
    some.mkdir()
    for i in range(40):
        os.link(folder / f"{i}.png", some / f"{i}.png")
    truth = tmp_path / "truth.csv"
    truth.write_text("path,label\n" + "".join(f"{i}.png,7\n" for i in range(40)))
    flags = (
        "--model",
        trained / "mnist_model.h5",
        "--engine",
        "ray",
        "--format",
        "parquet",
        "--labels",
        truth,
    )
    uris = ("--input", some.as_uri(), "--output", (tmp_path / "out").as_uri())
    done = infer(*flags, *uris, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "40 files: " in done.stderr
    assert "% of 40 labelled images" in done.stderr
    [file] = (tmp_path / "out").iterdir()
    found = sorted(parquet.read_table(file).to_pylist(), key=lambda row: row["path"])
    names = {f"{i}.png" for i in range(40)}
    expected = [row for row in local if row[0] in names]
    assert [
        [row["path"], row["prediction"], f"{row['confidence']:.6f}", row["status"]]
        for row in found
    ] == [row[:4] for row in expected]


@pytest.mark.filterwarnings("ignore")
def test_a_machine_that_is_lost_loses_no_row(folder, trained, local, tmp_path):
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        other = cluster.add_node(num_cpus=1)
        run = command(
            *(
                "infer",
                "--input",
                folder,
                "--model",
                trained / "mnist_model.h5",
                "--output",
                "out",
            ),
            *("--engine", "ray", "--ray-address", cluster.address, "--plot", "none"),
        )
        with subprocess.Popen(
            run, cwd=tmp_path, stderr=subprocess.PIPE, text=True
        ) as process:
            while not (tmp_path / "out").exists() or not any(
                (tmp_path / "out").iterdir()
            ):
                assert process.poll() is None
                time.sleep(0.02)
            cluster.remove_node(other, allow_graceful=False)
            assert process.poll() is None
            words = process.stderr.read()
        assert process.returncode == 1, words
        assert rows_of(tmp_path / "out") == local
    finally:
        cluster.shutdown()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (
            ["--engine", "ray"],
            "--engine ray: writes many files; give the folder for them as --output",
        ),
        (
            ["--engine", "ray", "--output", "o", "--resume"],
            "--resume: not with --engine ray",
        ),
        (
            ["--engine", "ray", "--output", "o", "--debug-dir", "s"],
            "--debug-dir: not with --engine ray",
        ),
        (["--ray-address", "auto"], "--ray-address: goes with --engine ray"),
    ],
)
def test_what_does_not_go_with_ray_is_refused(flags, words, tmp_path):
    done = infer("--input", ".", *flags, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr


def test_a_cluster_that_is_not_there_is_one_line(trained, tmp_path):
    flags = (
        "--model",
        trained / "mnist_model.h5",
        "--engine",
        "ray",
        "--ray-address",
        "auto",
    )
    done = infer("--input", trained, "--output", "o", *flags, cwd=tmp_path)
    assert done.returncode == 1
    assert "error: --ray-address auto: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_uri_needs_ray(tmp_path):
    done = infer("--input", "s3://bucket/scans", cwd=tmp_path)
    assert done.returncode == 2
    words = "error: --input: s3://bucket/scans: is not a local path; add --engine ray"
    assert words in done.stderr
    assert os.listdir(tmp_path) == []
