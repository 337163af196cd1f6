"""Pictures that a person should check, copied to folders of their predictions."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from cnn import keras_h5
from cnn.classifier import Prediction
from cnn.config import InferConfig
from cnn.image_files.listing import InputFile
from cnn.inference import local_engine
from cnn.inference.review import ReviewFolder, review_name
from cnn.inference.row_writer import partial_path
from cnn.inference.source_predictions import SourceResult
from cnn.page_region import Region
from cnn.preprocessing.pipeline import preprocess_sources
from cnn.preprocessing.source import ReadOptions, Source
from tests.inference.conftest import read_folder
from tests.reference import random_params

ODD_NAME = os.fsdecode(b"\xff\n.png")


def picture(x: int) -> Image.Image:
    image = Image.new("L", (60, 40), 255)
    ImageDraw.Draw(image).line([(x, 5), (x, 35)], fill=0, width=5)
    return image


@pytest.fixture
def scans(tmp_path) -> Path:
    """Five strokes, what is blank and what is no picture."""
    folder = tmp_path / "scans"
    names = ("scan1.png", "scan2.png", "sub/scan1.png", "sub/deep/a_7.png", ODD_NAME)
    for x, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(20 + 3 * x).save(path)
    Image.new("L", (60, 40), 255).save(folder / "blank.png")
    (folder / "text.png").write_text("no image")
    return folder


def result_of(path: Path, name: str = "", prediction="3", status="unsure", **part):
    found = Prediction(str(path), prediction, 0.5, status, "")
    file = InputFile(str(path), name or path.name)
    return SourceResult(file, Source(str(path), **part), [found], "")


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def add_all(folder: Path, results) -> ReviewFolder:
    review = ReviewFolder(folder)
    for result in results:
        review.add(result)
    return review


@pytest.fixture
def folder(tmp_path) -> Path:
    path = tmp_path / "review"
    path.mkdir()
    return path


def test_unsure_pictures_are_copied_byte_for_byte_to_their_prediction(scans, folder):
    results = [
        result_of(scans / "scan1.png", prediction="3"),
        result_of(scans / "scan2.png", prediction="3", status="ok"),
        result_of(scans / "sub/scan1.png", "sub/scan1.png", prediction="7"),
        result_of(scans / "blank.png", prediction="", status="blank"),
        result_of(scans / "text.png", prediction="", status="unreadable"),
    ]
    review = add_all(folder, results)
    assert contents(folder) == {
        "3/scan1.png": (scans / "scan1.png").read_bytes(),
        "7/sub%2Fscan1.png": (scans / "sub/scan1.png").read_bytes(),
    }
    assert review.summary == f"2 unsure copied to {folder}"


def test_what_a_person_has_moved_is_not_copied_again(scans, folder):
    results = [result_of(scans / name) for name in ("scan1.png", "scan2.png")]
    add_all(folder, results)
    (folder / "8").mkdir()
    (folder / "3" / "scan1.png").rename(folder / "8" / "scan1.png")
    (folder / "no digit" / "at all").mkdir(parents=True)
    (folder / "3" / "scan2.png").rename(folder / "no digit" / "at all" / "scan2.png")
    before = contents(folder)
    review = add_all(folder, results)
    assert contents(folder) == before
    assert review.summary == f"0 unsure copied to {folder} (2 were there)"


def test_another_picture_of_the_same_name_is_copied_beside_the_first(scans, folder):
    first, second = scans / "scan1.png", scans / "sub" / "scan1.png"
    for _ in range(2):
        review = add_all(folder, [result_of(first), result_of(second)])
    assert (review.num_copied, review.num_known) == (0, 2)
    assert (folder / "3" / "scan1.png").read_bytes() == first.read_bytes()
    (other,) = (folder / "3").glob("scan1.????????.png")
    assert other.read_bytes() == second.read_bytes()
    assert len(contents(folder)) == 2


def test_a_picture_that_a_person_has_changed_stays(scans, folder):
    add_all(folder, [result_of(scans / "scan1.png")])
    (folder / "3" / "scan1.png").write_bytes(b"turned")
    for _ in range(2):
        add_all(folder, [result_of(scans / "scan1.png")])
    assert (folder / "3" / "scan1.png").read_bytes() == b"turned"
    assert len(contents(folder)) == 2


@pytest.mark.parametrize(
    ("class_name", "expected"), [("/", "%2F"), (".", "%2E"), ("..", "%2E."), ("é", "é")]
)
def test_a_class_that_is_no_file_name_has_a_folder(scans, folder, class_name, expected):
    add_all(folder, [result_of(scans / "scan1.png", prediction=class_name)])
    assert list(contents(folder)) == [f"{expected}/scan1.png"]


@pytest.mark.parametrize(
    ("name", "part", "expected"),
    [
        ("a.png", {}, "a.png"),
        ("a/b/c_7.png", {}, "a%2Fb%2Fc_7.png"),
        ("a%2Fb.png", {}, "a%252Fb.png"),
        ("../a.png", {}, "%2E.%2Fa.png"),
        ("/a.png", {}, "%2Fa.png"),
        ("a.pdf", {"page": 12}, "a.pdf.12.png"),
        ("a.png", {"region": Region(0, 0, 1, 0.5)}, "a.png.png"),
        ("a.png", {"region": Region(0, 0, 1, 0.5, "a/b")}, "a.png.a%2Fb.png"),
        ("a.tif", {"page": 2, "region": Region(0, 0, 1, 1, "id")}, "a.tif.2.id.png"),
    ],
)
def test_a_copy_is_named_after_its_whole_path(name, part, expected):
    assert review_name(name, Source("a", **part)) == expected


def test_long_names_are_shortened_and_stay_apart():
    names = [f"{start}/{'ü' * 120}.png" for start in "ab"]
    found = [review_name(name, Source("a")) for name in names]
    assert len(set(found)) == 2
    for name in found:
        assert len(name.encode()) < 200
        assert name.startswith("ü" * 36 + ".")
        assert name.endswith(".png")


def test_pages_and_regions_are_copied_as_they_were_read(tmp_path, folder):
    document = tmp_path / "a.tif"
    pages = [picture(20), picture(40)]
    pages[0].save(document, save_all=True, append_images=pages[1:])
    region = Region(0.5, 0, 1, 1, "right")
    add_all(folder, [result_of(document, page=2, region=region)])
    (data,) = contents(folder).values()
    found = np.asarray(Image.open(io.BytesIO(data)))
    np.testing.assert_array_equal(found, np.asarray(pages[1])[:, 30:])
    assert (folder / "3" / "a.tif.2.right.png").exists()


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
def test_the_copy_of_a_page_is_read_as_the_page_was(mode, tmp_path, folder):
    page = picture(30).convert("I" if mode == "I;16" else mode)
    page = page.convert(mode)
    page.save(tmp_path / "a.tif", save_all=True, append_images=[page])
    result = result_of(tmp_path / "a.tif", page=2)
    add_all(folder, [result])
    sources = [result.source, Source(str(folder / "3" / "a.tif.2.png"))]
    of_page, of_copy = preprocess_sources(sources, ReadOptions("mnist"))
    assert of_page.candidates is not None
    np.testing.assert_array_equal(of_page.candidates, of_copy.candidates)


def test_what_cannot_be_copied_has_a_warning_and_harms_no_other(scans, folder, capsys):
    (folder / "4").touch()
    gone = scans / "gone.png"
    results = [
        result_of(gone),
        result_of(scans / "scan1.png", prediction="4"),
        result_of(scans / ODD_NAME),
    ]
    review = add_all(folder, results)
    assert review.num_copied == 1
    assert (folder / "3" / ODD_NAME).exists()
    errors = capsys.readouterr().err.splitlines()
    assert errors == [
        "warning: gone.png: not copied: no such file",
        "warning: scan1.png: not copied: File exists",
    ]


def test_a_run_copies_what_is_unsure_and_a_resumed_one_what_is_missing(
    scans, tmp_path, capsys
):
    """The folder lies inside the input, and is not read."""
    model = tmp_path / "m.h5"
    keras_h5.save(model, random_params(), {"class_names": list("0123456789")})
    review = scans / "review"
    settings = {"unsure_below": 1.0, "review": review, "workers": 0}
    rows, _ = read_folder(scans, model, tmp_path / "o.csv", **settings)
    assert len(rows) == 7
    unsure = [row for row in rows if row["status"] == "unsure"]
    assert len(unsure) == 5
    expected = {
        f"{row['prediction']}/{row['path'].replace('/', '%2F')}": (
            scans / row["path"]
        ).read_bytes()
        for row in unsure
    }
    assert contents(review) == expected
    assert f"; 5 unsure copied to {review}" in capsys.readouterr().err
    (review / next(iter(expected))).unlink()
    (tmp_path / "o.csv").rename(partial_path(tmp_path / "o.csv"))
    config = InferConfig(
        scans, model, output=tmp_path / "o.csv", plot="none", resume=True, **settings
    )
    local_engine.predict_folder(config)
    assert contents(review) == expected
    words = f"; 1 unsure copied to {review} (4 were there)"
    assert words in capsys.readouterr().err
