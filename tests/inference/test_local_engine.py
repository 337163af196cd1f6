"""Folders read on this machine, from files to rows."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnn.config import InferConfig
from cnn.image_files import decode_pool, listing
from cnn.inference import local_engine
from cnn.inference.output_checks import own_files
from cnn.inference.run_statistics import RunStatistics
from cnn.preprocessing.source import ReadOptions, Source
from tests.conftest import command
from tests.inference.conftest import read_folder

OPTIONS = ReadOptions("mnist")


def test_every_file_has_a_row_in_natural_order(digits, model, tmp_path, mnist_test):
    rows, done = read_folder(digits, model, tmp_path / "o.csv")
    assert done
    names = [f"a/scan{i}.png" for i in range(15)] + [
        f"b/c/scan{i}.png" for i in range(15, 30)
    ]
    assert [row["path"] for row in rows] == names
    assert list(rows[0]) == ["path", "prediction", "confidence", "status", "detail"]
    assert {row["status"] for row in rows} <= {"ok", "unsure"}
    right = [
        row["prediction"] == str(label)
        for row, label in zip(rows, mnist_test.labels, strict=False)
    ]
    assert sum(right) >= 28
    assert all(0.1 <= float(row["confidence"]) <= 1 for row in rows)


def test_a_prediction_of_low_confidence_is_unsure_and_stays(digits, model, tmp_path):
    sure, _ = read_folder(digits, model, tmp_path / "o.csv", unsure_below=0.0)
    confidence = sorted(float(row["confidence"]) for row in sure)
    middle = (confidence[4] + confidence[5]) / 2
    rows, done = read_folder(digits, model, tmp_path / "o2.csv", unsure_below=middle)
    assert done
    assert [row["prediction"] for row in rows] == [row["prediction"] for row in sure]
    for row in rows:
        below = float(row["confidence"]) < middle
        assert (row["status"], row["detail"]) == (
            ("unsure", f"confidence below {middle:.4f}") if below else ("ok", "")
        )


def test_without_recursion_folders_are_not_entered(digits, model, tmp_path):
    rows, _ = read_folder(
        digits / "b" / "c", model, tmp_path / "o.csv", recursive=False
    )
    assert len(rows) == 15
    with pytest.raises(
        local_engine.PathError, match="--no-recursive leaves out the folders in it"
    ):
        read_folder(digits, model, tmp_path / "o.csv", recursive=False)


def test_a_single_file_is_read(digits, model, tmp_path):
    rows, _ = read_folder(digits / "a" / "scan3.png", model, tmp_path / "o.csv")
    assert [row["path"] for row in rows] == ["scan3.png"]


def test_bad_files_have_rows_of_their_own_and_harm_no_others(digits, model, tmp_path):
    alone, _ = read_folder(digits, model, tmp_path / "o.csv")
    (digits / "a" / "scan2b.png").write_bytes(
        (digits / "a" / "scan2.png").read_bytes()[:60]
    )
    (digits / "a" / "scan5b.png").touch()
    (digits / "a" / "scan6b.jpg").write_text("no image")
    Image.new("L", (50, 50), 200).save(digits / "b" / "blank.png")
    (digits / "gone.png").symlink_to("nowhere")
    os.mkfifo(digits / "pipe.png")
    rows, done = read_folder(digits, model, tmp_path / "o2.csv")
    assert not done
    assert [row for row in rows if row["status"] == "ok"] == alone
    bad = {
        row["path"]: (row["status"], row["detail"])
        for row in rows
        if row["status"] != "ok"
    }
    assert bad.pop("a/scan2b.png")[0] == "unreadable"
    assert bad == {
        "a/scan5b.png": ("unreadable", "empty file"),
        "a/scan6b.jpg": (
            "unreadable",
            "not an image (expected PNG, JPEG, BMP, GIF, TIFF, WEBP, PPM, AVIF, HEIC, PDF)",
        ),
        "b/blank.png": ("blank", "no ink found"),
        "gone.png": ("unreadable", "a link to a file that is not there"),
        "pipe.png": ("unreadable", "not a regular file"),
    }
    assert {
        row["prediction"] + row["confidence"] for row in rows if row["status"] != "ok"
    } == {""}


def test_names_survive_the_csv_whatever_they_hold(digits, model, tmp_path):
    folder = tmp_path / "names"
    folder.mkdir()
    names = [
        "a,b.png",
        'say "hi".png',
        "new\nline.png",
        "=1+1.png",
        "ü.png",
        os.fsdecode(b"\xff\xfe.png"),
    ]
    for name in names:
        shutil.copy(digits / "a" / "scan0.png", folder / name)
    rows, done = read_folder(folder, model, tmp_path / "o.csv", plot=tmp_path / "p.png")
    assert done
    assert sorted(row["path"] for row in rows) == sorted(names)


def test_probabilities_and_top_k_have_columns(digits, model, tmp_path):
    rows, _ = read_folder(
        digits, model, tmp_path / "o.csv", probabilities=True, top_k=3
    )
    expected = ["path", "prediction", "confidence", "status", "detail"]
    expected += [
        "prediction_2",
        "confidence_2",
        "prediction_3",
        "confidence_3",
        *"0123456789",
    ]
    assert list(rows[0]) == expected
    for row in rows:
        probabilities = {name: float(row[name]) for name in "0123456789"}
        assert abs(sum(probabilities.values()) - 1) < 1e-5
        ranked = sorted(probabilities, key=lambda n: -probabilities[n])
        assert row["prediction"] == ranked[0]
        assert (
            float(row["confidence_2"])
            == probabilities[row["prediction_2"]]
            == probabilities[ranked[1]]
        )


def test_workers_and_batch_sizes_change_nothing(digits, model, tmp_path):
    (digits / "a" / "bad.png").write_text("no image")
    contents = []
    for number, (workers, batch_size) in enumerate([(0, 512), (1, 512), (2, 7)]):
        out = tmp_path / f"{number}.csv"
        config = InferConfig(
            input=digits,
            model=model,
            output=out,
            plot=Path("none"),
            workers=workers,
            rows_per_write=batch_size,
        )
        local_engine.predict_folder(config)
        contents.append(out.read_text())
    assert contents[0] == contents[1] == contents[2]


def test_processes_decode_in_order_and_more_than_they_may_hold(digits):
    paths = [str(path) for path in sorted(digits.rglob("scan*.png"))] * 20
    with decode_pool.open_pool(2) as pool:
        images = [
            decoded.candidates for decoded in pool.imap(map(Source, paths), OPTIONS)
        ]
    with decode_pool.open_pool(0) as pool:
        expected = [
            decoded.candidates
            for decoded in pool.imap(map(Source, paths[:30]), OPTIONS)
        ]
    assert len(images) == len(paths)
    assert all(
        np.array_equal(image, expected[i % 30]) for i, image in enumerate(images)
    )


def labels_of(rows):
    return {row["path"]: row["label"] for row in rows}


def test_labels_come_from_folders_and_file_names(digits, model, tmp_path, capsys):
    (digits / "7").mkdir()
    source = digits / "a" / "scan0.png"
    for name in ("7/x_3.png", "a/y_2.png", "a/z_12.png", "a/w_.png"):
        shutil.copy(source, digits / name)
    rows, _ = read_folder(digits, model, tmp_path / "o.csv", labels=Path("names"))
    labels = labels_of(rows)
    assert (
        labels["7/x_3.png"] == "7"
    )  # A folder is said on purpose; a name may end in a mere count.
    assert labels["a/y_2.png"] == "2"
    assert [labels[n] for n in ("a/z_12.png", "a/w_.png", "a/scan0.png")] == [
        "",
        "",
        "",
    ]
    right = sum(row["label"] == row["prediction"] for row in rows if row["label"])
    assert f"accuracy {right / 2:.2%} of 2 labelled images" in capsys.readouterr().err


def test_labels_come_from_a_csv(digits, model, tmp_path, mnist_test, capsys):
    table = tmp_path / "labels.csv"
    table.write_text(
        "path,label\n"
        + "".join(f"a/scan{i}.png,{mnist_test.labels[i]}\n" for i in range(10))
    )
    rows, _ = read_folder(digits, model, tmp_path / "o.csv", labels=table)
    assert [labels_of(rows)[f"a/scan{i}.png"] for i in range(10)] == [
        str(n) for n in mnist_test.labels[:10]
    ]
    assert "of 10 labelled images" in capsys.readouterr().err
    table.write_text("b/none.png,7\n")
    with pytest.raises(
        local_engine.PathError,
        match=r"none of its paths is that of an input file, like a/scan0\.png",
    ):
        read_folder(digits, model, tmp_path / "o.csv", labels=table)
    table.write_text("a/scan0.png,seven\n")
    with pytest.raises(
        local_engine.PathError,
        match=r"labels\.csv: expected rows of path,label with a label among 0, 1",
    ):
        read_folder(digits, model, tmp_path / "o.csv", labels=table)


def test_the_model_in_the_folder_is_not_read_as_an_image(digits, model, tmp_path):
    shutil.copy(model, digits / "mnist_model.h5")
    config = InferConfig(
        input=digits, model=digits / "mnist_model.h5", plot=Path("none")
    )
    assert "mnist_model.h5" not in [
        file.name for file in listing.list_inputs(config.input, True, own_files(config))
    ]


def test_an_output_is_whole_or_the_one_before(digits, model, tmp_path, monkeypatch):
    out = tmp_path / "o.csv"
    out.write_text("before")

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(RunStatistics, "add", stop)
    with pytest.raises(KeyboardInterrupt):
        read_folder(digits, model, out)
    assert out.read_text() == "before"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_the_model_may_be_a_workdir(trained, digits, model, tmp_path):
    by_file, _ = read_folder(digits, model, tmp_path / "1.csv")
    by_workdir, _ = read_folder(digits, trained / "runs" / "mnist", tmp_path / "2.csv")
    assert by_file == by_workdir


def test_a_folder_of_any_size_compiles_once(digits, model, tmp_path):
    script = command(
        "infer",
        "--input",
        digits,
        "--model",
        model,
        "--rows-per-write",
        8,
        "--plot",
        "none",
    )
    done = subprocess.run(
        script,
        cwd=tmp_path,
        env={**os.environ, "JAX_LOG_COMPILES": "1"},
        capture_output=True,
        text=True,
    )
    assert done.stderr.count("Finished XLA compilation of jit(forward)") == 1, (
        done.stderr
    )
