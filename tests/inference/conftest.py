"""Inputs and helpers of the inference tests."""

import csv
import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from cnn.config import InferConfig
from cnn.inference import local_engine


@pytest.fixture
def model(trained) -> Path:
    return trained / "mnist_model.h5"


@pytest.fixture
def digits(mnist_test, tmp_path) -> Path:
    """Thirty test digits as PNGs in folders, beside hidden files."""
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


def read_folder(folder, model, out, **settings):
    """Runs inference; returns the rows, and whether every file was decoded."""
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
