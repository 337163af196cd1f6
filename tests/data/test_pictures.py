import shutil

import numpy as np
import pytest
from PIL import Image

from cnn.data.pictures import read_pictures
from cnn.data.types import DataError
from cnn.preprocessing import pipeline


@pytest.fixture
def folder(mnist_test, tmp_path):
    """Two test digits of each class, in folders by class."""
    top = tmp_path / "mine"
    for label in range(10):
        (top / str(label)).mkdir(parents=True)
        for index in np.flatnonzero(mnist_test.labels == label)[:2]:
            image = Image.fromarray(255 - mnist_test.images[index, ..., 0])
            image.resize((90, 90)).save(top / str(label) / f"{index}.png")
    return top


def reasons(left_out):
    return dict(left_out)


def test_pictures_are_read_as_by_inference_and_in_natural_order(folder):
    pictures, left_out = read_pictures(folder, None, "mnist")
    assert left_out == []
    assert pictures.class_names == tuple("0123456789")
    assert pictures.labels.tolist() == [label for label in range(10) for _ in "ab"]
    paths = [str(folder / name) for name in pictures.names]
    for file, expected in zip(
        pictures.files, pipeline.preprocess_files(paths, "mnist"), strict=True
    ):
        np.testing.assert_array_equal(file.candidates, expected.candidates)


def test_an_image_of_the_data_set_is_the_most_plausible_candidate(folder):
    pictures, _ = read_pictures(folder, None, "mnist")
    dataset = pictures.as_dataset()
    assert (dataset.images.shape, dataset.images.dtype) == ((20, 28, 28, 1), np.uint8)
    assert dataset.preprocessing == "mnist"
    for image, file in zip(dataset.images, pictures.files, strict=True):
        weights = np.ones(1) if file.weights is None else file.weights
        best = file.candidates[int(np.argmax(weights))]
        assert np.abs(image / 255 - best).max() <= 0.5 / 255 + 1e-6


def test_classes_are_numbered_in_natural_order(folder):
    (folder / "9").rename(folder / "10")
    (folder / "8").rename(folder / "b")
    pictures, _ = read_pictures(folder, None, "mnist")
    assert pictures.class_names == (*"01234567", "10", "b")


def test_what_cannot_be_learned_from_is_listed_and_left_out(folder, capsys):
    (folder / "7" / "notes.txt").write_text("no image")
    Image.new("L", (50, 50), 255).save(folder / "7" / "blank.png")
    (folder / "LICENSE").write_text("MIT")
    pictures, left_out = read_pictures(folder, None, "mnist")
    assert len(pictures.names) == 20
    found = reasons(left_out)
    assert found.keys() == {"7/notes.txt", "7/blank.png", "LICENSE"}
    assert found["7/notes.txt"].startswith("unreadable: not an image")
    assert found["7/blank.png"] == "blank: no ink found"
    assert found["LICENSE"].startswith("has no class; expected CLASS/NAME.png")
    stderr = capsys.readouterr().err
    for name, reason in found.items():
        assert f"warning: {folder / name}: left out, {reason}" in stderr


def test_the_same_picture_counts_once(folder):
    (original, _) = sorted((folder / "3").iterdir())
    shutil.copy(original, folder / "3" / "z_copy.png")
    pictures, left_out = read_pictures(folder, None, "mnist")
    assert len(pictures.names) == 20
    assert reasons(left_out) == {
        "3/z_copy.png": f"the same picture as 3/{original.name}"
    }


def test_the_same_picture_in_two_classes_is_left_out_of_both(folder):
    (original, _) = sorted((folder / "3").iterdir())
    shutil.copy(original, folder / "5" / "z_copy.png")
    pictures, left_out = read_pictures(folder, None, "mnist")
    assert len(pictures.names) == 19
    reason = "the same picture is in the classes 3, 5"
    assert reasons(left_out) == {
        f"3/{original.name}": reason,
        "5/z_copy.png": reason,
    }


def test_every_page_of_a_file_is_a_picture(folder):
    first, second = (Image.open(path) for path in sorted((folder / "6").iterdir()))
    first.load()
    second.load()
    shutil.rmtree(folder / "6")
    (folder / "6").mkdir()
    first.save(folder / "6" / "both.tif", save_all=True, append_images=[second])
    pictures, _ = read_pictures(folder, None, "mnist")
    assert pictures.names.count("6/both.tif") == 2


def test_a_folder_without_a_picture_is_refused(tmp_path):
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "a.png").write_text("no image")
    with pytest.raises(DataError, match="no picture that can be learned from"):
        read_pictures(tmp_path, None, "mnist")


def test_outputs_inside_the_folder_are_no_pictures(folder):
    out = folder / "runs"
    shutil.copytree(folder / "1", out / "1")
    pictures, _ = read_pictures(folder, None, "mnist", [out])
    assert len(pictures.names) == 20


def test_many_pictures_that_are_left_out_are_counted(folder, capsys):
    for i in range(25):
        (folder / "7" / f"x{i}.png").write_text("no image")
    _, left_out = read_pictures(folder, None, "mnist")
    assert len(left_out) == 25
    stderr = capsys.readouterr().err
    assert stderr.count("left out, unreadable") == 20
    assert "5 more left out; report.json lists all" in stderr


def test_the_digest_changes_with_a_class_and_with_a_picture(folder):
    pictures, _ = read_pictures(folder, None, "mnist")
    assert pictures.digest() == read_pictures(folder, None, "mnist")[0].digest()
    renamed = pictures._replace(class_names=(*"012345678", "x"))
    fewer = pictures.select(range(19))
    digests = {p.digest() for p in (pictures, renamed, fewer)}
    assert len(digests) == 3
