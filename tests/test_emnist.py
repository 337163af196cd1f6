"""EMNIST from end to end: an archive in its format, training, pictures, rows."""

import csv
import zipfile

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from cnn.augmentation.outlier_exposure import list_fonts
from cnn.config import InferConfig, TrainConfig
from cnn.data import builders
from cnn.inference import local_engine
from cnn.training import loop
from tests.conftest import idx

# The classes by their labels, from the mapping files of the archive.
BALANCED = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt"
LETTERS = "#ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # Its labels count from 1.
# Letters that are told apart from all others of the set, also when they are leaned.
CLEAR = {"letters": "AEFKLRWZ", "balanced": "AEFKLRWabdeghr34"}


def draw(rng, character):
    """Draws a leaned character in black on a page, `uint8 (128, 128)`."""
    fonts = [path for path in list_fonts() if path.name.startswith("DejaVuSans")]
    font = ImageFont.truetype(fonts[rng.integers(len(fonts))], size=60)
    page = Image.new("L", (128, 128), 255)
    ImageDraw.Draw(page).text((64, 64), character, 0, font, anchor="mm")
    return page.rotate(rng.uniform(-8, 8), fillcolor=255)


def convert_as_emnist(page):
    """Blurs, crops, pads to a square with a border, and scales a character.

    Cohen et al., "EMNIST: an extension of MNIST to handwritten letters", 2017.
    """
    ink = page.point(lambda gray: 255 - gray).filter(ImageFilter.GaussianBlur(1))
    box = ink.point(lambda gray: 255 * (gray > 50)).getbbox()
    ink = ink.crop(box)
    square = Image.new("L", (max(ink.size), max(ink.size)))
    square.paste(ink, tuple((square.width - side) // 2 for side in ink.size))
    scaled = square.resize((24, 24), Image.Resampling.BICUBIC)
    image = np.zeros((28, 28), np.uint8)
    image[2:26, 2:26] = scaled
    return image


def write_archive(folder, config, characters, counts):
    """Writes the archive of one configuration, whose images are transposed."""
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(folder / "gzip.zip", "w") as archive:
        for part, count in counts.items():
            known = [label for label, name in enumerate(characters) if name != "#"]
            labels = np.repeat(known, count)
            images = [convert_as_emnist(draw(rng, characters[n])) for n in labels]
            stem = f"gzip/emnist-{config}-{part}"
            transposed = np.array(images).transpose(0, 2, 1)
            archive.writestr(f"{stem}-images-idx3-ubyte.gz", idx(transposed))
            archive.writestr(f"{stem}-labels-idx1-ubyte.gz", idx(labels))


def train(tmp_path, config):
    """Trains on the archive, and returns the model file."""
    settings = TrainConfig(
        dataset=f"emnist/{config}",
        data_dir=tmp_path / "data",
        epochs=8,
        batch_size=32,
        ema_decay=0.9,
        corruption_prob=0,
        simulated_page_fraction=0.05,
        synthetic_glyph_fraction=0.1,
        simulated_string_fraction=0.1,
        workdir=tmp_path / "run",
        model=tmp_path / "model.h5",
    )
    loop.train(settings)
    return settings.model


@pytest.mark.parametrize(
    ("config", "characters", "count"),
    [("letters", LETTERS, 24), ("balanced", BALANCED, 16)],
)
def test_pictures_of_letters_are_read(
    server, tmp_path, monkeypatch, config, characters, count
):
    served, url = server
    write_archive(served, config, characters, {"train": count, "test": 2})
    monkeypatch.setattr(builders.Emnist, "URL", url + "gzip.zip")
    model = train(tmp_path, config)
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(1)
    for number, character in enumerate(2 * CLEAR[config]):
        draw(rng, character).save(folder / f"scan{number}_{character}.png")
    output, plot = tmp_path / "rows.csv", tmp_path / "plot.png"
    settings = InferConfig(
        input=folder, model=model, output=output, plot=plot, probabilities=True
    )
    assert local_engine.predict_folder(settings)
    with output.open() as file:
        rows = list(csv.DictReader(file))
    is_right = [row["prediction"] == row["label"] for row in rows]
    assert np.mean(is_right) >= 0.9
    names = list(rows[0])[-len(characters.strip("#")) :]
    assert "".join(names) == characters.strip("#")
    assert plot.stat().st_size > 10_000
    for name in ("curves", "confusion", "mistakes", "reliability"):
        assert (tmp_path / "run" / f"{name}.png").exists()
