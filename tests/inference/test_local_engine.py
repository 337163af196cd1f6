import csv
import json
import os
import shutil
import subprocess
from pathlib import Path

import jax
import numpy as np
import pytest
from PIL import Image, ImageOps

from cnn import checkpoint
from cnn.classifier import Classifier
from cnn.config import InferConfig
from cnn.data import datasets
from cnn.inference import decode_pool, listing, local_engine, natural_sort, report
from cnn.model import CNN
from tests.conftest import command


@pytest.fixture
def model(trained) -> Path:
    return trained / "mnist_model.h5"


@pytest.fixture
def digits(mnist_test, tmp_path) -> Path:
    """Thirty test digits as PNGs in folders, with what else lies about in folders."""
    folder = tmp_path / "digits"
    for i in range(30):
        image = Image.fromarray(mnist_test.images[i, ..., 0])
        path = folder / ("a" if i < 15 else "b/c") / f"scan{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        (image if i % 2 else ImageOps.invert(image)).save(path)
    (folder / ".hidden.png").touch()
    (folder / ".git").mkdir()
    (folder / ".git" / "x.png").touch()
    return folder


def read(folder, model, out, **settings):
    """Runs the real thing; returns its rows and whether all was read."""
    config = InferConfig(
        input=folder,
        model=model,
        output=out,
        plot=settings.pop("plot", Path("none")),
        **settings,
    )
    done = local_engine.predict_folder(config)
    with open(out, newline="", encoding="utf-8", errors="surrogateescape") as file:
        return list(csv.DictReader(file)), done


def test_every_file_has_a_row_in_natural_order(digits, model, tmp_path, mnist_test):
    rows, done = read(digits, model, tmp_path / "o.csv")
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


def test_a_reading_of_low_confidence_is_unsure_and_keeps_its_prediction(
    digits, model, tmp_path
):
    sure, _ = read(digits, model, tmp_path / "o.csv", unsure_below=0.0)
    confidence = sorted(float(row["confidence"]) for row in sure)
    middle = (confidence[4] + confidence[5]) / 2
    rows, done = read(digits, model, tmp_path / "o2.csv", unsure_below=middle)
    assert done
    assert [row["prediction"] for row in rows] == [row["prediction"] for row in sure]
    for row in rows:
        below = float(row["confidence"]) < middle
        assert (row["status"], row["detail"]) == (
            ("unsure", f"confidence below {middle:.4f}") if below else ("ok", "")
        )


def test_the_model_says_when_to_be_unsure_and_keeps_995_of_1000_digits(
    model, mnist_test
):
    classifier = Classifier.load(model)
    confidence = classifier.predict_proba(mnist_test.images).max(-1)
    assert 0.985 < (confidence >= classifier.unsure_below).mean() < 1


def test_without_recursion_folders_are_not_entered(digits, model, tmp_path):
    rows, _ = read(digits / "b" / "c", model, tmp_path / "o.csv", recursive=False)
    assert len(rows) == 15
    with pytest.raises(
        local_engine.InferError, match="--no-recursive leaves out the folders in it"
    ):
        read(digits, model, tmp_path / "o.csv", recursive=False)


def test_a_single_file_is_read(digits, model, tmp_path):
    rows, _ = read(digits / "a" / "scan3.png", model, tmp_path / "o.csv")
    assert [row["path"] for row in rows] == ["scan3.png"]


def test_bad_files_have_rows_of_their_own_and_harm_no_others(digits, model, tmp_path):
    alone, _ = read(digits, model, tmp_path / "o.csv")
    (digits / "a" / "scan2b.png").write_bytes(
        (digits / "a" / "scan2.png").read_bytes()[:60]
    )
    (digits / "a" / "scan5b.png").touch()
    (digits / "a" / "scan6b.jpg").write_text("no image")
    Image.new("L", (50, 50), 200).save(digits / "b" / "blank.png")
    (digits / "gone.png").symlink_to("nowhere")
    os.mkfifo(digits / "pipe.png")
    rows, done = read(digits, model, tmp_path / "o2.csv")
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
            "not an image (expected PNG, JPEG, BMP, GIF, TIFF, WEBP, PPM)",
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
    rows, done = read(folder, model, tmp_path / "o.csv", plot=tmp_path / "p.png")
    assert done
    assert sorted(row["path"] for row in rows) == sorted(names)


def test_probabilities_and_top_k_have_columns(digits, model, tmp_path):
    rows, _ = read(digits, model, tmp_path / "o.csv", probabilities=True, top_k=3)
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


def test_a_confidence_is_the_same_to_the_bit_whoever_sits_beside_it(model, mnist_test):
    classifier = Classifier.load(model)
    pictures = mnist_test.images[:600]
    together = classifier.predict_proba(pictures)
    order = np.random.default_rng(0).permutation(len(pictures))
    np.testing.assert_array_equal(
        classifier.predict_proba(pictures[order]), together[order]
    )
    for i in (0, 255, 256, 599):
        np.testing.assert_array_equal(
            classifier.predict_proba(pictures[i : i + 1])[0], together[i]
        )


def test_processes_decode_in_order_and_more_than_they_may_hold(digits):
    paths = [str(path) for path in sorted(digits.rglob("scan*.png"))] * 20
    with decode_pool.open_pool(2) as decoders:
        pictures = [decoded.candidates for decoded in decoders.decode(paths, "mnist")]
    with decode_pool.open_pool(0) as decoders:
        expected = [
            decoded.candidates for decoded in decoders.decode(paths[:30], "mnist")
        ]
    assert len(pictures) == len(paths)
    assert all(
        np.array_equal(picture, expected[i % 30]) for i, picture in enumerate(pictures)
    )


def labels_of(rows):
    return {row["path"]: row["label"] for row in rows}


def test_labels_come_from_folders_and_file_names(digits, model, tmp_path, capsys):
    (digits / "7").mkdir()
    source = digits / "a" / "scan0.png"
    for name in ("7/x_3.png", "a/y_2.png", "a/z_12.png", "a/w_.png"):
        shutil.copy(source, digits / name)
    rows, _ = read(digits, model, tmp_path / "o.csv")
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
    rows, _ = read(digits, model, tmp_path / "o.csv", labels=table)
    assert [labels_of(rows)[f"a/scan{i}.png"] for i in range(10)] == [
        str(n) for n in mnist_test.labels[:10]
    ]
    assert "of 10 labelled images" in capsys.readouterr().err
    table.write_text("b/none.png,7\n")
    with pytest.raises(
        local_engine.InferError,
        match=r"none of its paths is that of a file in --input, like a/scan0\.png",
    ):
        read(digits, model, tmp_path / "o.csv", labels=table)
    table.write_text("a/scan0.png,seven\n")
    with pytest.raises(
        local_engine.InferError,
        match=r"labels\.csv: expected rows of path,label with a label among 0, 1",
    ):
        read(digits, model, tmp_path / "o.csv", labels=table)


@pytest.mark.parametrize("labelled", [False, True])
def test_the_plot_is_drawn_and_not_read_the_next_time(
    digits, model, tmp_path, labelled
):
    if labelled:
        (digits / "a").rename(digits / "5")
    for _ in range(2):
        rows, _ = read(digits, model, digits / "o.csv", plot=digits / "p.png")
        assert len(rows) == 30
    with Image.open(digits / "p.png") as plot:
        assert min(plot.size) > 800


def test_show_draws_each_file_under_its_name(digits, model, tmp_path):
    (digits / "text.png").write_text("hello")
    Image.new("L", (30, 30), 255).save(digits / "blank.png")
    rows, _ = read(digits, model, tmp_path / "o.csv", debug_dir=tmp_path / "shown")
    for row in rows:
        with Image.open(tmp_path / "shown" / (row["path"] + ".png")) as shown:
            assert shown.width > 800
    assert len(rows) == 32


def test_what_show_has_drawn_is_not_read_the_next_time(digits, model, tmp_path):
    for _ in range(2):
        rows, _ = read(digits, model, tmp_path / "o.csv", debug_dir=digits / "shown")
        assert len(rows) == 30


def test_show_needs_a_folder_of_its_own(digits, model, tmp_path):
    with pytest.raises(
        local_engine.InferError, match="is also --input; give another --debug-dir"
    ):
        read(digits, model, tmp_path / "o.csv", debug_dir=digits)
    (tmp_path / "file").touch()
    with pytest.raises(
        local_engine.InferError, match="file: no folder, and none can be made"
    ):
        read(digits, model, tmp_path / "o.csv", debug_dir=tmp_path / "file")


def test_a_name_that_is_too_long_to_show_has_its_row_and_a_warning(
    digits, model, tmp_path, capfd
):
    name = "x" * 251 + ".png"
    (digits / "a" / "scan0.png").rename(digits / name)
    rows, _ = read(digits, model, tmp_path / "o.csv", debug_dir=tmp_path / "shown")
    assert name in [row["path"] for row in rows]
    assert "not drawn: File name too long" in capfd.readouterr().err


def test_a_file_is_read_in_the_way_that_the_network_is_surest_of(digits, model):
    """And its picture, probabilities and number of the way belong together."""
    from cnn.classifier import Classifier
    from cnn.preprocessing import pipeline

    classifier = Classifier.load(model)
    decoded = pipeline.preprocess_file(str(digits / "a" / "scan0.png"), "mnist")
    ways = np.concatenate(
        [decoded.candidates, decoded.candidates[:, ::-1], 0 * decoded.candidates]
    )
    reading = classifier.classify(["a"], [decoded._replace(candidates=ways)])[0]
    probabilities = classifier.predict_proba(ways)
    assert reading.candidate == probabilities.max(-1).argmax()
    assert reading.confidence == probabilities.max()
    np.testing.assert_array_equal(reading.image, ways[reading.candidate])
    np.testing.assert_array_equal(
        reading.probabilities, probabilities[reading.candidate]
    )


def test_names_that_only_differ_by_a_number_at_the_end_are_in_order():
    pages = ["page2", "page", "page10", "page1", "a/page", "page.png2", "page.png"]
    assert sorted(pages, key=natural_sort.natural_key) == [
        "a/page", "page", "page1", "page2", "page10", "page.png", "page.png2",
    ]  # fmt: skip


def test_the_model_in_the_folder_is_not_read_as_an_image(digits, model, tmp_path):
    shutil.copy(model, digits / "mnist_model.h5")
    config = InferConfig(
        input=digits, model=digits / "mnist_model.h5", plot=Path("none")
    )
    assert "mnist_model.h5" not in [file.name for file in listing.list_inputs(config)]


def test_rows_without_a_label_are_not_labelled(tmp_path):
    (tmp_path / "l.csv").write_text("path,label\na.png,3\nb.png,\n")
    label_of = listing.find_labels(
        listing.InputFiles("", ["a.png", "b.png"]), tmp_path / "l.csv", "0123456789"
    )
    assert (label_of("a.png"), label_of("b.png")) == ("3", "")


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
        with pytest.raises(local_engine.InferError, match=words):
            local_engine.predict_folder(config)
        assert (one.read_bytes(), model.read_bytes()) == before


def test_an_output_that_is_no_regular_file_is_written_to_and_a_link_is_followed(
    digits, model, tmp_path
):
    (tmp_path / "real.csv").write_text("before")
    (tmp_path / "link.csv").symlink_to("real.csv")
    read(digits, model, tmp_path / "link.csv")
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


def test_an_output_is_whole_or_the_one_before(digits, model, tmp_path, monkeypatch):
    out = tmp_path / "o.csv"
    out.write_text("before")

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(report.RunStatistics, "add", stop)
    with pytest.raises(KeyboardInterrupt):
        read(digits, model, out)
    assert out.read_text() == "before"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_the_model_may_be_a_workdir(trained, digits, model, tmp_path):
    by_file, _ = read(digits, model, tmp_path / "1.csv")
    by_workdir, _ = read(digits, trained / "runs" / "mnist", tmp_path / "2.csv")
    assert by_file == by_workdir


def test_confidence_is_that_at_the_temperature_of_the_report(
    trained, model, mnist_test
):
    """From the parameters of the checkpoint, which know no temperature, by plain Flax."""
    workdir = trained / "runs" / "mnist"
    temperature = json.loads((workdir / "report.json").read_text())["temperature"]
    state, _ = checkpoint.restore(workdir / "checkpoints", 1)
    images = mnist_test.images[:50]
    logits = CNN(10).apply({"params": state["ema_params"]}, images / np.float32(255))
    expected = np.asarray(jax.nn.softmax(logits / temperature))
    assert abs(temperature - 1) > 0.002
    np.testing.assert_allclose(
        Classifier.load(model).predict_proba(images), expected, atol=1e-5
    )


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


def test_test_digits_as_pngs_read_like_the_arrays(mnist_test, model, tmp_path):
    """A thousand of them, in both polarities; all ten thousand are measured in tests/benchmarks."""
    count = 1000
    classifier = Classifier.load(model)
    right = int(
        (
            classifier.predict(mnist_test.images[:count]) == mnist_test.labels[:count]
        ).sum()
    )
    for invert in (False, True):
        paths = []
        for i in range(count):
            image = Image.fromarray(mnist_test.images[i, ..., 0])
            paths.append(tmp_path / f"{i}.png")
            (ImageOps.invert(image) if invert else image).save(paths[-1])
        read = [reading.prediction for reading in classifier.predict_files(paths)]
        assert (
            right
            - sum(
                int(r == str(n)) for r, n in zip(read, mnist_test.labels, strict=False)
            )
            <= 2
        )


def test_the_python_door(trained, mnist_test, tmp_path):
    classifier = Classifier.load(trained / "mnist_model.h5")
    pictures = mnist_test.images[:700]
    labels, probabilities = (
        classifier.predict(pictures),
        classifier.predict_proba(pictures),
    )
    assert (labels.shape, labels.dtype) == ((700,), np.int32)
    assert (labels == mnist_test.labels[:700]).mean() > 0.97
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    np.testing.assert_array_equal(probabilities.argmax(1), labels)
    # Floats in [0, 1], and pictures without a channel axis, are the same pictures.
    np.testing.assert_allclose(
        classifier.predict_proba(pictures[:5, ..., 0] / 255.0),
        probabilities[:5],
        atol=1e-5,
    )
    assert classifier.predict(pictures[:0]).shape == (0,)
    np.testing.assert_array_equal(
        classifier.predict(pictures[:5].astype(np.int64)), labels[:5]
    )
    for wrong in (
        pictures[0],
        pictures.reshape(-1, 14, 56),
        np.zeros((1, 28, 28, 3)),
        np.full((1, 28, 28), 255.0),
    ):
        with pytest.raises(ValueError, match="images: expected"):
            classifier.predict(wrong)
    Image.fromarray(pictures[0, ..., 0]).save(tmp_path / "a.png")
    assert [
        reading.prediction for reading in classifier.predict_files(tmp_path / "a.png")
    ] == [str(labels[0])]
    good, missing = classifier.predict_files(
        [tmp_path / "a.png", tmp_path / "none.png"]
    )
    assert (good.prediction, good.status) == (str(labels[0]), "ok")
    assert (missing.status, missing.detail) == ("unreadable", "no such file")


def test_a_model_of_another_set_makes_pictures_its_own_way(small_dir, tmp_path, digits):
    """A model tells how its training pictures were made, and files are made the same way."""
    assert datasets.preprocessing_for("kmnist") == "resize"
    arguments = (
        "--dataset",
        "kmnist",
        "--epochs",
        1,
        "--batch-size",
        16,
        "--data-dir",
        small_dir,
    )
    subprocess.run(
        command("train", *arguments), cwd=tmp_path, capture_output=True, check=True
    )
    classifier = Classifier.load(tmp_path / "kmnist_model.h5")
    assert (classifier.preprocessing, classifier.class_names[1]) == ("resize", "ki")
    dark = Image.new("L", (28, 28), 0)
    dark.paste(90, (3, 3, 9, 9))
    dark.save(tmp_path / "a.png")
    picture = classifier.predict_files([tmp_path / "a.png"])[0].image
    np.testing.assert_allclose(
        picture[..., 0], np.asarray(dark) / np.float32(255), atol=1e-6
    )
