"""Readings that are restricted to some classes of the model."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnn import keras_h5
from cnn.errors import UsageError
from cnn.inference import local_engine
from tests.inference.conftest import read_folder
from tests.inference.numbers import draw_number
from tests.reference import random_params

NAMES = list("0123456789")


@pytest.fixture
def untrained(tmp_path) -> Path:
    path = tmp_path / "m.h5"
    keras_h5.save(path, random_params(), {"class_names": NAMES})
    return path


@pytest.fixture
def crosses(tmp_path) -> Path:
    """Pictures in the network's own size, whose ink has one segmentation."""
    folder = tmp_path / "crosses"
    for x in range(6):
        pixels = np.zeros((28, 28), np.uint8)
        pixels[4:24, 10 + x : 13 + x] = 255
        pixels[6 + 2 * x, 8:20] = 255
        path = folder / str(x // 2) / f"{x}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    return folder


def test_rows_have_the_classes_alone_with_their_share_of_the_confidence(
    crosses, untrained, tmp_path
):
    settings = {"probabilities": True, "labels": Path("none"), "workers": 0}
    free, _ = read_folder(crosses, untrained, tmp_path / "1.csv", **settings)
    rows, _ = read_folder(
        crosses, untrained, tmp_path / "2.csv", classes="71-3", top_k=9, **settings
    )
    assert list(rows[0])[5:] == [
        *("prediction_2", "confidence_2", "prediction_3", "confidence_3"),
        *("prediction_4", "confidence_4", "1", "2", "3", "7"),
    ]
    for row, before in zip(rows, free, strict=True):
        kept = {name: float(before[name]) for name in "1237"}
        best = max(kept, key=kept.__getitem__)
        share = kept[best] / sum(kept.values())
        assert row["prediction"] == best
        assert float(row["confidence"]) == pytest.approx(share, rel=1e-3)
        assert sum(float(row[name]) for name in kept) == pytest.approx(1, abs=1e-5)


def test_labels_are_among_the_classes(crosses, untrained, tmp_path, capsys):
    rows, _ = read_folder(
        crosses, untrained, tmp_path / "o.csv", classes="01", workers=0
    )
    assert [row["label"] for row in rows] == ["0", "0", "1", "1", "", ""]
    assert "of 4 labelled images" in capsys.readouterr().err
    table = tmp_path / "l.csv"
    table.write_text("2/4.png,2\n")
    words = r"l\.csv: expected rows of path,label with a label among 0, 1; found 2/4"
    with pytest.raises(local_engine.PathError, match=words):
        read_folder(crosses, untrained, tmp_path / "o.csv", classes="01", labels=table)


def test_a_class_that_the_model_lacks_is_refused(crosses, untrained, tmp_path):
    words = "^--classes: no class is in the range A-F; the model has 0, 1, 2, 3, 4, 5,"
    with pytest.raises(UsageError, match=words):
        read_folder(crosses, untrained, tmp_path / "o.csv", classes="0-9A-F")
    assert not list(tmp_path.glob("o.csv*"))


@pytest.mark.parametrize("pattern", [None, "dddd"])
def test_numbers_consist_of_the_classes(pattern, mnist_test, model, tmp_path):
    """Digits that cannot occur are read as the likeliest of those that can."""
    labels = mnist_test.labels
    folder = tmp_path / "lines"
    folder.mkdir()
    binary = np.flatnonzero(labels <= 1)[:12].reshape(3, 4)
    truth = []
    for row, indices in enumerate(binary):
        picture, text = draw_number(mnist_test, indices)
        Image.fromarray(picture).save(folder / f"{row}.png")
        truth.append(text)
    others = np.flatnonzero(labels > 1)[:4]
    Image.fromarray(draw_number(mnist_test, others)[0]).save(folder / "3.png")
    rows, _ = read_folder(
        folder,
        model,
        tmp_path / "o.csv",
        layout="line",
        classes="01",
        pattern=pattern,
        workers=0,
    )
    assert [row["prediction"] for row in rows[:3]] == truth
    assert set(rows[3]["prediction"]) <= {"0", "1"}
