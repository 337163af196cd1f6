"""Numbers read from Python: files, images of Pillow and arrays."""

import io

import numpy as np
import pytest
from PIL import Image

import cnn
from cnn.decoding import Reading
from cnn.errors import UsageError
from cnn.number_prediction import predict_numbers, preprocess_number_image
from tests.inference.numbers import draw_number, draw_page


@pytest.fixture(scope="module")
def classifier(trained):
    return cnn.Classifier.load(trained / "mnist_model.h5")


@pytest.fixture(scope="module")
def number(mnist_test):
    return draw_number(mnist_test, [2, 3, 5])


def test_a_file_its_bytes_an_image_and_an_array_are_the_same_number(
    classifier, number, tmp_path
):
    picture, truth = number
    Image.fromarray(picture).save(tmp_path / "a.png")
    of_file = classifier.read_line(tmp_path / "a.png")
    assert of_file.prediction == truth
    assert (of_file.path, of_file.page, of_file.region) == (
        *(str(tmp_path / "a.png"), 1, ""),
    )
    images = [
        (tmp_path / "a.png").read_bytes(),
        Image.fromarray(picture),
        Image.fromarray(picture).convert("RGB"),
        picture,
        picture[..., None],
        np.repeat(picture[..., None], 3, axis=2),
        picture / 255,
        picture.astype(np.int64),
    ]
    for image in images:
        found = classifier.read_line(image)
        assert found._replace(path=of_file.path) == of_file
        assert found.path == ""


def test_a_number_has_characters_with_boxes(classifier, number):
    picture, truth = number
    found = classifier.read_line(picture)
    assert isinstance(found, cnn.NumberPrediction)
    assert "".join(c.prediction for c in found.characters) == truth
    boxes = np.array([character.box for character in found.characters])
    assert (boxes[:, 0] >= found.box[0]).all()
    assert (boxes[:, 3] <= found.box[3]).all()
    assert (np.diff(boxes[:, 0]) > 0).all()


def test_what_is_known_may_be_told(classifier, number):
    picture, truth = number
    assert classifier.read_line(picture, length=3).prediction == truth
    assert classifier.read_line(picture, length="2-3").prediction == truth
    assert len(classifier.read_line(picture, length=2).prediction) in (0, 2)
    with pytest.raises(cnn.Error, match="--pattern"):
        classifier.read_line(picture, pattern="99")


def test_a_region_is_read_alone_with_boxes_of_the_picture(classifier, mnist_test):
    page, truth = draw_page(mnist_test, [[[2, 3], [12, 13]], [[5]]])
    found = classifier.read_line(page, region="0.5,0,1,0.25")
    assert found.prediction == truth[1]
    assert found.box[0] >= 260
    named = classifier.read_line(page, region="sum=0,0,0.5,0.25")
    assert (named.prediction, named.region) == (truth[0], "sum")


def test_a_page_is_a_list_of_numbers(classifier, mnist_test, tmp_path):
    page, truth = draw_page(mnist_test, [[[2, 3], [12, 13]], [[5]]])
    assert [n.prediction for n in classifier.read_page(page)] == truth
    blank = Image.new("L", (300, 300), 255)
    assert classifier.read_page(blank) == []
    page.save(tmp_path / "a.tif", save_all=True, append_images=[blank])
    assert [n.prediction for n in classifier.read_page(tmp_path / "a.tif")] == truth
    assert classifier.read_page(tmp_path / "a.tif", page=2) == []
    content = (tmp_path / "a.tif").read_bytes()
    assert [n.prediction for n in classifier.read_page(content)] == truth
    assert classifier.read_page(content, page=2) == []


def test_nothing_to_read_is_told_by_the_status(classifier, tmp_path):
    blank = classifier.read_line(np.full((40, 90), 255, np.uint8))
    assert (blank.prediction, blank.status, blank.box) == ("", "blank", None)
    assert blank.confidence == 0
    assert blank.detail == "no number found"
    (tmp_path / "a.png").write_text("no image")
    assert classifier.read_line(tmp_path / "a.png").status == "unreadable"
    (unreadable,) = classifier.read_page(tmp_path / "a.png")
    assert unreadable.status == "unreadable"


def test_an_image_is_turned_upright_as_a_file_is(classifier, number, tmp_path):
    picture, truth = number
    exif = Image.Exif()
    exif[0x0112] = 6  # To be turned by 90 degrees clockwise.
    turned = Image.fromarray(np.rot90(picture))
    file = io.BytesIO()
    turned.save(file, "PNG", exif=exif)
    (tmp_path / "a.png").write_bytes(file.getvalue())
    assert classifier.read_line(tmp_path / "a.png").prediction == truth
    with Image.open(file) as image:
        assert classifier.read_line(image).prediction == truth


def test_the_threshold_of_numbers_is_of_the_model_or_the_user(trained):
    path = trained / "mnist_model.h5"
    model = cnn.Classifier.load(path)
    own = model.metadata.get("string_unsure_below", 0.9)
    assert model.string_unsure_below == own
    other = cnn.Classifier(model.params, {**model.metadata, "string_unsure_below": 0.5})
    assert other.string_unsure_below == 0.5
    assert other.unsure_below == model.unsure_below
    users = cnn.Classifier.load(path, unsure_below=0.25)
    assert users.string_unsure_below == users.unsure_below == 0.25


def test_a_model_of_whole_pictures_reads_no_numbers(classifier):
    metadata = {**classifier.metadata, "preprocessing": "resize"}
    other = cnn.Classifier(classifier.params, metadata)
    with pytest.raises(UsageError, match="expected a model of handwritten characters"):
        other.read_line(np.zeros((28, 28), np.uint8))


@pytest.mark.parametrize(
    ("confidences", "num_kept"), [([0.001], 1), ([0.98, 0.001, 0.97], 2)]
)
def test_what_is_hardly_a_number_is_left_out_beside_others_only(
    number, confidences, num_kept
):
    picture, _ = number
    source, file = preprocess_number_image(picture, "mnist", "line", None, None)
    file = file._replace(lines=file.lines * len(confidences))

    def read(_):
        return [Reading("1", confidence, (), 0, "") for confidence in confidences]

    (numbers,) = predict_numbers([source], [file], read, 0.5)
    assert len(numbers) == num_kept
    assert numbers[0].prediction == "1"
