"""Checks of outputs before a run."""

import os
from pathlib import Path

import pytest

from cnn.config import InferConfig
from cnn.config_schema import flag_name
from cnn.errors import UsageError
from cnn.image_files import listing
from cnn.image_files.listing import PathError
from cnn.inference import local_engine
from cnn.inference.output_checks import check_outputs, own_files


def test_outputs_may_not_be_what_is_read(digits, model, tmp_path):
    table = tmp_path / "l.csv"
    table.write_text("a/scan0.png,7\n")
    one = digits / "a" / "scan0.png"
    for settings, words in [
        ({"output": model}, "is also --model; give another --output"),
        ({"plot": model}, "is also --model; give another --plot"),
        ({"output": table, "labels": table}, "is also --labels; give another --output"),
        ({"input": one, "plot": one}, "is also --input; give another --plot"),
        (
            {"output": tmp_path / "x", "plot": tmp_path / "x"},
            "is also --output; give another --plot",
        ),
    ]:
        config = InferConfig(
            **{"input": digits, "model": model, "plot": Path("none"), **settings}
        )
        before = one.read_bytes(), model.read_bytes()
        with pytest.raises(PathError, match=words):
            local_engine.predict_folder(config)
        assert (one.read_bytes(), model.read_bytes()) == before


@pytest.mark.parametrize("name", ["debug_dir", "review"])
def test_copies_and_debug_images_need_a_folder_of_their_own(name, tmp_path):
    flag = flag_name(name)
    with pytest.raises(PathError, match=f"is also --input; give another {flag}"):
        check_outputs(InferConfig(tmp_path, plot="none", **{name: tmp_path}))
    (tmp_path / "file").touch()
    with pytest.raises(PathError, match="file: cannot create this folder"):
        check_outputs(InferConfig(tmp_path, plot="none", **{name: tmp_path / "file"}))


def test_copies_and_debug_images_are_kept_apart(tmp_path):
    shown = tmp_path / "shown"
    config = InferConfig(tmp_path, plot="none", debug_dir=shown, review=shown)
    with pytest.raises(PathError, match="is also --debug-dir; give another --review"):
        check_outputs(config)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_refused_before_the_work(tmp_path):
    (tmp_path / "copies").mkdir(mode=0o500)
    config = InferConfig(tmp_path, plot="none", review=tmp_path / "copies")
    with pytest.raises(PathError, match="no permission to write there; give another"):
        check_outputs(config)


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
        "--format parquet: needs a regular file; name one with --output" in done.stderr
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"output": "."}, "is a folder; --output needs the name of a file"),
        ({"plot": "none/p.png"}, "no such folder; make it, or give another --plot"),
        ({"output": "o.parquet", "plot": "o.parquet"}, "is also --output"),
    ],
)
def test_an_output_that_cannot_be_written_is_refused(settings, words, tmp_path):
    paths = {"input": tmp_path, "plot": Path("none")}
    for name, path in settings.items():
        paths[name] = Path(path) if "://" in path else tmp_path / path
    with pytest.raises(PathError, match=words):
        check_outputs(InferConfig(**paths))


def test_outputs_in_an_existing_folder_are_accepted(tmp_path):
    config = InferConfig(
        input=tmp_path,
        output=tmp_path / "o.parquet",
        plot=tmp_path / "p.png",
        debug_dir=tmp_path / "debug" / "images",
    )
    check_outputs(config)
    assert config.debug_dir.is_dir()


@pytest.mark.parametrize(
    ("output", "wanted"),
    [
        ("o.csv.gz", None),
        ("o.xlsx", None),
        ("o.json", None),
        ("o.tsv", None),
        ("o.png", None),
        ("o.csv.gz", "csv"),
        ("o.jsonl", "csv"),
        ("o.json", "jsonl"),
        ("o.csv", "parquet"),
    ],
)
def test_an_ending_of_something_else_is_refused(output, wanted, tmp_path):
    ending = Path(output).suffix
    words = rf"^--output: {tmp_path / output}: no \{ending} is written here; expected "
    config = InferConfig(tmp_path, output=tmp_path / output, format=wanted)
    with pytest.raises(UsageError, match=words):
        check_outputs(config)


@pytest.mark.parametrize("output", ["o", "o.CSV", "o.txt", "o.jsonl", "o.ndjson"])
def test_endings_of_what_is_written_are_accepted(output, tmp_path):
    check_outputs(InferConfig(tmp_path, output=tmp_path / output, plot="none"))


@pytest.mark.parametrize("plot", ["p.pdf", "p.jpg", "-", "/dev/stdout"])
def test_a_plot_is_a_png_file(plot, tmp_path):
    with pytest.raises(UsageError, match=f"^--plot: {plot}: is written as PNG, to a"):
        check_outputs(InferConfig(tmp_path, plot=Path(plot)))


@pytest.mark.parametrize("output", ["-", "/dev/stdout", "/dev/fd/1"])
def test_stdout_has_several_names(output):
    assert InferConfig("scans", output=output).output is None


def test_special_files_may_have_any_ending(tmp_path):
    os.mkfifo(tmp_path / "pipe.gz")
    pipe = tmp_path / "pipe.gz"
    check_outputs(InferConfig(tmp_path, output=pipe, plot=Path("/dev/null")))


def test_outputs_of_an_earlier_run_may_be_among_several_inputs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    inputs = tuple(map(Path, ("a.png", "b", "o.csv", "predictions.png")))
    for path in inputs:
        path.touch()
    config = InferConfig(inputs, output=Path("o.csv"))
    check_outputs(config)
    files = listing.list_inputs(config.inputs, True, own_files(config))
    assert [file.name for file in files] == ["a.png", "b"]
    with pytest.raises(PathError, match=r"^b: is also --input; give another --output"):
        check_outputs(InferConfig(inputs, output=Path("b")))
    with pytest.raises(
        PathError, match=r"^a.png: is also --input; give another --plot"
    ):
        check_outputs(InferConfig(inputs, plot=Path("a.png")))


def test_a_folder_that_cannot_be_written_costs_the_usual_plot_only(
    digits, model, tmp_path, monkeypatch, capfd
):
    (tmp_path / "read-only").mkdir()
    monkeypatch.chdir(tmp_path / "read-only")
    # As root, no permission would be missing.
    (tmp_path / "read-only" / "predictions.png").mkdir()
    assert local_engine.predict_folder(InferConfig(input=digits, model=model))
    rows, messages = capfd.readouterr()
    assert rows.startswith("path,prediction")
    assert "warning: predictions.png: not drawn: Is a directory" in messages
    with pytest.raises(PathError, match="is a folder"):
        check_outputs(InferConfig(input=digits, model=model, plot=Path("../read-only")))
