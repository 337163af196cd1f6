"""POST /corrections keeps pictures that bin/train --images learns from."""

import io

import numpy as np
import pytest
from PIL import Image

from cnn.data.pictures import read_pictures
from tests.pdf_files import sevens_pdf
from tests.serving.conftest import SAMPLES, SEVEN, start_server


def correct(server, content, **parameters):
    return server.client.post("/corrections", params=parameters, content=content)


def kept(server) -> list[str]:
    paths = [path for path in server.corrections.rglob("*") if path.is_file()]
    return sorted(str(path.relative_to(server.corrections)) for path in paths)


@pytest.fixture(autouse=True)
def clear(server):
    yield
    for path in server.corrections.rglob("*.png"):
        path.unlink()


def test_a_picture_is_kept_as_png_of_the_same_pixels(server):
    path = SAMPLES / "palette_9.gif"
    answer = correct(server, path.read_bytes(), **{"class": "9"}, name="evil/../x.gif")
    assert answer.status_code == 201
    name = answer.json()["path"]
    assert kept(server) == [name]
    assert name.startswith("9/")
    with (
        Image.open(path) as original,
        Image.open(server.corrections / name) as image,
    ):
        assert image.format == "PNG"
        np.testing.assert_array_equal(
            np.asarray(image.convert("RGB")), np.asarray(original.convert("RGB"))
        )


def test_a_picture_that_is_corrected_again_moves(server):
    content = SEVEN.read_bytes()
    correct(server, content, **{"class": "1"})
    correct(server, content, **{"class": "7"})
    correct(server, content, **{"class": "7"})
    (name,) = kept(server)
    assert name.startswith("7/")
    # An empty folder would be one more class.
    assert not (server.corrections / "1").exists()


def test_a_page_of_a_document_is_kept(server):
    answer = correct(server, sevens_pdf(3), **{"class": "7"}, page="2")
    assert answer.status_code == 201
    answer = correct(server, sevens_pdf(3), **{"class": "7"})
    assert answer.status_code == 400
    words = "expected one page or region, got 3; add page=1"
    assert answer.json()["detail"] == words
    assert len(kept(server)) == 1


def test_nothing_of_the_exif_of_a_photograph_is_kept(server):
    exif = Image.Exif()
    exif[0x010F] = "a camera with a serial number"
    file = io.BytesIO()
    Image.open(SEVEN).resize((300, 300)).save(file, "JPEG", exif=exif)
    name = correct(server, file.getvalue(), **{"class": "7"}).json()["path"]
    assert b"serial number" not in (server.corrections / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "folder"), [("é", "é"), ("a/b", "a%2Fb"), ("..", "%2E."), ("%2F", "%252F")]
)
def test_a_class_of_any_name_has_a_folder_of_its_own(server, name, folder):
    answer = correct(server, SEVEN.read_bytes(), **{"class": name})
    assert answer.status_code == 201
    (path,) = kept(server)
    assert path.startswith(folder + "/")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "class: expected the true class, got nothing"),
        ("test", "class: test is a split of bin/train --images, no class"),
        ("a\nb", "class: expected at most 64 printable characters"),
        ("x" * 65, "class: expected at most 64 printable characters"),
        (" 7", "class: expected at most 64 printable characters"),
    ],
)
def test_a_wrong_class_is_refused(server, name, words):
    answer = correct(server, SEVEN.read_bytes(), **{"class": name})
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(words)
    assert kept(server) == []


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("class=7&class=1", "class: given twice"),
        ("class=7&region=0,0,1,0.5&region=0,0.5,1,1", "expected one page or region"),
        ("class=7&page=1&pages=1", "pages: given twice"),
    ],
)
def test_two_values_of_a_parameter_are_refused(server, query, words):
    answer = server.client.post(f"/corrections?{query}", content=SEVEN.read_bytes())
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(words)
    assert kept(server) == []


def test_what_is_no_picture_is_not_kept(server):
    answer = correct(server, b"#!/bin/sh", **{"class": "7"})
    assert answer.status_code == 415
    assert kept(server) == []


def test_nothing_is_kept_unless_asked_for(tmp_path):
    with start_server(tmp_path) as started:
        answer = correct(started, SEVEN.read_bytes(), **{"class": "7"})
        assert answer.status_code == 404
        assert "bin/serve --corrections" in answer.json()["detail"]
        assert started.client.get("/model").json()["corrections"] is False
        started.read(SEVEN.read_bytes(), "preview")
    assert list(tmp_path.iterdir()) == []


def test_training_finds_the_classes_of_corrections(server):
    for sample in sorted(SAMPLES.glob("*_7.*")):
        correct(server, sample.read_bytes(), **{"class": "7"})
    pictures, left_out = read_pictures(server.corrections, None, "mnist")
    assert pictures.class_names == ("7",)
    assert sorted(pictures.names) == kept(server)
    assert len(pictures.names) == len(list(SAMPLES.glob("*_7.*")))
    assert left_out == []
