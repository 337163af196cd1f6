"""Pictures of numbers: what is cropped, and what the plots are given."""

import numpy as np
import pytest
from PIL import Image

from cnn import plots
from cnn.config import InferConfig
from cnn.decoding import CharacterReading
from cnn.image_files.listing import InputFile
from cnn.inference import number_report
from cnn.inference.number_pictures import describe_characters, open_picture
from cnn.inference.number_statistics import NumberStatistics
from cnn.inference.source_predictions import SourceResult
from cnn.number_prediction import NumberPrediction
from cnn.page_region import Region
from cnn.preprocessing.source import Source


def make_number(path, box, texts="12", status="ok", confidence=0.95):
    left, top, right, bottom = box
    width = (right - left) / len(texts)
    characters = tuple(
        CharacterReading(
            text, 0.9, "3", (left + i * width, top, left + (i + 1) * width, bottom), i
        )
        for i, text in enumerate(texts)
    )
    return NumberPrediction(
        str(path), 1, "", 1, box, texts, confidence, status, "", characters
    )


@pytest.fixture
def page(tmp_path):
    """A page of 400×300 pixels, black in a box of 40×20."""
    pixels = np.full((300, 400), 255, np.uint8)
    pixels[100:120, 200:240] = 0
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return tmp_path / "a.png"


BOX = (200.0, 100.0, 240.0, 120.0)


def test_boxes_lie_on_their_ink_wherever_the_picture_is_cut(page):
    region = Region(0.25, 0.25, 1, 1)
    for source in (Source(str(page)), Source(str(page), None, region)):
        for side in (4096, 200):
            picture = open_picture(source, side)
            for shown in (picture, picture.crop(BOX)):
                number = make_number(page, BOX)
                boxes, texts, is_sure, _ = describe_characters(number, shown)
                dark = np.asarray(shown.image.convert("L")) < 128
                rows, columns = np.flatnonzero(dark.any(1)), np.flatnonzero(dark.any(0))
                ink = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
                found = [*boxes[:, :2].min(0), *boxes[:, 2:].max(0)]
                np.testing.assert_allclose(found, ink, atol=1)
                assert (texts, is_sure) == (["1", "2"], True)


def test_the_crop_shows_what_is_beside_a_number(page):
    shown = open_picture(Source(str(page))).crop(BOX)
    assert shown.image.size == (40 + 2 * 30, 20 + 2 * 14)
    corner = open_picture(Source(str(page))).crop((0.0, 0.0, 10.0, 10.0))
    assert corner.image.size == (10 + 15, 10 + 7)


class FakeClassifier:
    """Reads the same numbers in every file, and counts the files."""

    preprocessing = "mnist"

    def __init__(self, numbers):
        self.numbers = numbers
        self.sources = []

    def classify_lines(self, sources, files, pattern):
        self.sources += sources
        return [self.numbers]


@pytest.mark.parametrize("label", ["", "12"])
def test_the_plot_shows_numbers_and_reads_resumed_ones_again(page, tmp_path, label):
    statistics = NumberStatistics()
    gone = str(tmp_path / "gone.png")
    numbers = [make_number(page, BOX, confidence=0.7), make_number(page, BOX, "345")]
    resumed = [number._replace(characters=()) for number in numbers]
    statistics.add("a.png", Source(str(page)), resumed, label)
    statistics.add("b.png", Source(gone), [make_number(gone, BOX, "7")], label)
    classifier = FakeClassifier(numbers)
    calls = []
    assert number_report.save_number_report(
        statistics,
        "title",
        classifier,
        InferConfig(input=page, layout="page"),
        tmp_path / "p.png",
        lambda *arguments, path: calls.append(arguments),
    )
    assert classifier.sources == [Source(str(page))]
    [(name, *arguments)] = calls
    pictures = {caption: number for _, number, caption, _ in arguments[0]}
    assert set(pictures) == {
        "a.png\nread as 12, 70.0%",
        "a.png\nread as 345, 95.0%",
        "b.png\nread as 7, 95.0%",
    }
    assert pictures["a.png\nread as 345, 95.0%"][1] == ["3", "4", "5"]
    getattr(plots, name)(*arguments, tmp_path / "p.png")
    with Image.open(tmp_path / "p.png") as plot:
        assert min(plot.size) > 600


@pytest.mark.parametrize("size", [(28, 28), (28, 2000), (1500, 40), (3508, 2480)])
def test_a_picture_of_any_size_is_drawn_large_enough(tmp_path, size):
    pixels = np.full(size, 255, np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    source = Source(str(tmp_path / "a.png"))
    number = make_number(source.path, (2.0, 2.0, 20.0, 20.0), "10", "unsure", 0.4)
    result = SourceResult(InputFile(source.path, "a.png"), source, [number], "")
    number_report.save_number_visualization(result, tmp_path / "shown")
    with Image.open(tmp_path / "shown" / "a.png.png") as shown:
        assert shown.width > 700
        assert max(shown.size) < 2500
        # The boxes are drawn, in the color of an unsure number.
        colors = np.asarray(shown.convert("RGB"), int)
        assert (np.abs(colors - [0xD9, 0x73, 0x0D]).sum(2) < 30).any()


def test_a_picture_that_cannot_be_opened_or_written_costs_a_warning(tmp_path, capsys):
    source = Source(str(tmp_path / "gone.png"))
    nothing = NumberPrediction(
        source.path, 1, "", 1, None, "", 0.0, "unreadable", "not an image"
    )
    result = SourceResult(InputFile(source.path, "gone.png"), source, [nothing], "")
    number_report.save_number_visualization(result, tmp_path / "shown")
    assert (tmp_path / "shown" / "gone.png.png").exists()
    long = result._replace(file=InputFile(source.path, "x" * 251 + ".png"))
    number_report.save_number_visualization(long, tmp_path / "shown")
    assert "not drawn: File name too long" in capsys.readouterr().err
