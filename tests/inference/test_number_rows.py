"""Numbers read on this machine, from files to rows in each format."""

import csv
import io
import json
import os
from pathlib import Path

import pytest
from PIL import Image
from pyarrow import parquet

from cnn import keras_h5
from cnn.classifier import Classifier
from cnn.config import InferConfig
from cnn.errors import UsageError
from cnn.inference import local_engine
from cnn.inference.layout_outputs import check_class_names
from cnn.inference.row_writer import partial_path
from tests.inference.conftest import read_folder
from tests.inference.numbers import draw_number, draw_page

# Indices of clear test digits of one line each, and the names of their files.
LINES = {
    "amount_1.png": [2, 3],
    '=1+1,"a"\n.png': [12, 13, 5],
    os.fsdecode(b"\xff.png"): [8, 9],
}
PAGE = [[[2, 3], [12, 13, 5]], [[8, 9]], [[5], [13, 3]]]


@pytest.fixture(scope="module")
def lines(mnist_test, tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """A folder of numbers, and the truth by name."""
    folder = tmp_path_factory.mktemp("lines")
    truth = {}
    for name, indices in LINES.items():
        picture, truth[name] = draw_number(mnist_test, indices)
        Image.fromarray(picture).save(folder / name)
    (folder / "text.png").write_text("no image")
    Image.new("L", (90, 40), 250).save(folder / "white.png")
    return folder, truth


@pytest.fixture(scope="module")
def document(mnist_test, tmp_path_factory) -> tuple[Path, list[list[str]]]:
    """A folder with a TIFF of two pages and an empty one, and the truth by page."""
    folder = tmp_path_factory.mktemp("document")
    first, first_truth = draw_page(mnist_test, PAGE)
    second, second_truth = draw_page(mnist_test, PAGE[1:])
    white = Image.new("L", first.size, 255)
    first.save(folder / "a.tif", save_all=True, append_images=[white, second])
    second.save(folder / "b.png")
    return folder, [first_truth, [], second_truth, second_truth]


def read(folder, model, out, **others) -> bytes:
    config = InferConfig(
        input=folder, model=model, output=out, plot=Path("none"), **others
    )
    local_engine.predict_folder(config)
    return out.read_bytes()


def test_a_line_is_one_row_whatever_its_name(lines, model, tmp_path):
    folder, truth = lines
    rows, done = read_folder(folder, model, tmp_path / "o.csv", layout="line")
    assert not done
    assert list(rows[0]) == ["path", "prediction", "confidence", "status", "detail"]
    by_path = {row["path"]: row for row in rows}
    assert len(rows) == 5
    assert {name: by_path[name]["prediction"] for name in truth} == truth
    for name in truth:
        status = "ok" if float(by_path[name]["confidence"]) >= 0.9 else "unsure"
        assert by_path[name]["status"] == status
    assert by_path["text.png"]["status"] == "unreadable"
    assert by_path["white.png"]["detail"].startswith("no number found")
    empty = by_path["white.png"]["prediction"] + by_path["white.png"]["confidence"]
    assert (empty, by_path["white.png"]["status"]) == ("", "blank")


def test_leading_zeros_are_kept_in_every_format(mnist_test, model, tmp_path):
    picture, truth = draw_number(mnist_test, [6, 7])
    assert truth == "06"
    Image.fromarray(picture).save(tmp_path / "a.png")
    found = []
    read(tmp_path / "a.png", model, tmp_path / "o.jsonl", layout="line")
    found.append(json.loads((tmp_path / "o.jsonl").read_text())["prediction"])
    read(tmp_path / "a.png", model, tmp_path / "o.parquet", layout="line")
    table = parquet.read_table(tmp_path / "o.parquet")
    found.append(table.to_pylist()[0]["prediction"])
    assert found == ["06", "06"]
    assert str(table.schema.field("prediction").type) == "string"


def test_boxes_hold_the_digits_in_pixels_of_the_picture(lines, model, tmp_path):
    folder, truth = lines
    rows, _ = read_folder(folder, model, tmp_path / "o.csv", layout="line", boxes=True)
    assert list(rows[0])[-1] == "characters"
    for row in rows:
        characters = json.loads(row["characters"])
        text = "".join(character["prediction"] for character in characters)
        assert text == truth.get(row["path"], "")
        for place, character in enumerate(characters):
            left, top, right, bottom = character["box"]
            start = 6 + 34 * place  # Of the digit's frame of 28 pixels.
            assert start <= left < right <= start + 28
            assert 8 <= top < bottom <= 36
            assert 0.1 < character["confidence"] <= 1
            assert character["runner_up"] != character["prediction"]


def test_json_lines_have_characters_as_a_list_and_numbers_as_numbers(
    document, model, tmp_path
):
    folder, _ = document
    data = read(folder, model, tmp_path / "o.jsonl", layout="page")
    rows = [json.loads(line) for line in data.splitlines()]
    number = next(row for row in rows if row["prediction"])
    for name in ("page", "line", "left", "top", "right", "bottom"):
        assert type(number[name]) is int
    assert type(number["characters"]) is list
    assert type(number["characters"][0]["box"][0]) is int
    (blank,) = (row for row in rows if row["status"] == "blank")
    assert (blank["page"], blank["line"], blank["characters"]) == (2, None, [])


def test_a_page_has_a_row_per_number_in_reading_order(document, model, tmp_path):
    folder, truth = document
    rows, done = read_folder(folder, model, tmp_path / "o.csv", layout="page")
    assert done
    assert ",".join(rows[0]) == (
        "path,page,line,left,top,right,bottom,prediction,confidence,status,detail"
    )
    places = [("a.tif", "1"), ("a.tif", "2"), ("a.tif", "3"), ("b.png", "1")]
    for place, expected in zip(places, truth, strict=True):
        found = [row for row in rows if (row["path"], row["page"]) == place]
        assert [row["prediction"] for row in found] == (expected or [""])
        if not expected:
            assert found[0]["detail"] == "no number found"
            assert found[0]["left"] == ""
    first = rows[:5]
    assert [row["line"] for row in first] == ["1", "1", "2", "3", "3"]
    corners = [(20, 20), (260, 20), (20, 110)]
    for row, (left, top) in zip(first[:3], corners, strict=True):
        assert left <= int(row["left"]) < int(row["right"]) <= left + 120
        assert top <= int(row["top"]) < int(row["bottom"]) <= top + 44


@pytest.fixture(scope="module")
def whole_outputs(document, trained, tmp_path_factory) -> dict[str, bytes]:
    """What an uninterrupted run writes, by the ending of its file."""
    folder, _ = document
    model = trained / "mnist_model.h5"
    top = tmp_path_factory.mktemp("whole")
    return {
        ending: read(folder, model, top / f"o.{ending}", layout="page", boxes=True)
        for ending in ("csv", "jsonl", "parquet")
    }


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.8, 1])
def test_pages_are_continued_to_the_same_file(
    document, whole_outputs, model, tmp_path, ending, share
):
    folder, _ = document
    out = tmp_path / f"o.{ending}"
    whole = whole_outputs[ending]
    partial = whole_outputs["csv" if ending == "parquet" else ending]
    partial_path(out).write_bytes(partial[: int(share * len(partial))])
    # The plot takes seconds, and is of interest where rows were kept.
    plot = tmp_path / "p.png" if share >= 0.8 else Path("none")
    config = InferConfig(
        input=folder,
        model=model,
        output=out,
        plot=plot,
        layout="page",
        boxes=True,
        resume=True,
    )
    local_engine.predict_folder(config)
    assert out.read_bytes() == whole
    assert plot.exists() == (share >= 0.8)


def test_pages_and_regions_have_columns(document, model, tmp_path):
    folder, truth = document
    regions = ("upper=0,0,1,0.25", "0,0.25,1,1")
    data = read(
        folder, model, tmp_path / "o.csv", layout="line", region=regions, pages="1,3"
    )
    rows = list(csv.DictReader(io.StringIO(data.decode())))
    assert list(rows[0])[:4] == ["path", "page", "region", "prediction"]
    assert [(row["path"], row["page"], row["region"]) for row in rows] == [
        (name, page, region)
        for name, page in (("a.tif", "1"), ("a.tif", "3"), ("b.png", "1"))
        for region in ("upper", "2")
    ]
    # The upper quarter of the last pages has one number.
    assert [row["prediction"] for row in rows[2::2]] == [truth[2][0]] * 2


def test_characters_of_every_page_are_read(document, model, tmp_path):
    folder, _ = document
    rows, _ = read_folder(folder, model, tmp_path / "o.csv", pages="1-2")
    assert list(rows[0])[:3] == ["path", "page", "prediction"]
    assert [(row["path"], row["page"]) for row in rows] == [
        ("a.tif", "1"),
        ("a.tif", "2"),
        ("b.png", "1"),
    ]
    assert [row["status"] for row in rows][1] == "blank"


def test_labels_give_accuracy_and_character_error_rate(lines, model, tmp_path, capsys):
    folder, truth = lines
    table = tmp_path / "l.csv"
    name = "amount_1.png"
    table.write_text(f"path,label\n{name},{truth[name]}9\nwhite.png,4\n")
    rows, _ = read_folder(
        folder, model, tmp_path / "o.csv", layout="line", labels=table
    )
    assert {row["path"]: row["label"] for row in rows}[name] == truth[name] + "9"
    # Of 4 characters of the labels, one is missing in each.
    assert "accuracy 0.00% of 2 labelled numbers, CER 50.00%" in capsys.readouterr().err


def test_what_is_known_of_numbers_decides(lines, model, tmp_path):
    folder, truth = lines
    rows, _ = read_folder(folder, model, tmp_path / "o.csv", layout="line", length="3")
    lengths = {len(row["prediction"]) for row in rows if row["prediction"]}
    assert lengths == {3}
    three = next(name for name in truth if len(truth[name]) == 3)
    assert {row["path"]: row for row in rows}[three]["prediction"] == truth[three]


def test_the_threshold_of_numbers_is_the_users(lines, model, tmp_path):
    folder, truth = lines
    for threshold, status in ((0.0, "ok"), (1.0, "unsure")):
        rows, _ = read_folder(
            folder, model, tmp_path / "o.csv", layout="line", unsure_below=threshold
        )
        found = {row["path"]: row for row in rows}
        assert {found[name]["status"] for name in truth} == {status}
    assert found["amount_1.png"]["detail"].startswith("confidence below 1.0000")


def test_batches_and_processes_change_no_row(document, model, tmp_path):
    folder, _ = document
    contents = {
        read(
            folder,
            model,
            tmp_path / f"{workers}{size}.csv",
            layout="page",
            workers=workers,
            rows_per_write=size,
        )
        for workers, size in ((0, 512), (1, 1), (2, 3))
    }
    assert len(contents) == 1


def test_a_model_of_whole_pictures_reads_no_numbers(lines, model, tmp_path):
    params, metadata = keras_h5.load(model)
    classifier = Classifier(params, metadata | {"preprocessing": "resize"})
    with pytest.raises(UsageError, match="--layout page: expected a model of handwr"):
        check_class_names(classifier, "page")
    check_class_names(classifier, "character")


def test_names_of_several_letters_are_joined_with_a_note(model, capsys):
    params, metadata = keras_h5.load(model)
    names = ["zero", *metadata["class_names"][1:]]
    classifier = Classifier(params, metadata | {"class_names": names})
    check_class_names(classifier, "line")
    assert capsys.readouterr().err == (
        "note: the model has classes like zero; --layout line joins their names "
        "without spaces\n"
    )


def test_the_debug_folder_has_a_picture_per_page(document, model, tmp_path):
    folder, _ = document
    shown = tmp_path / "shown"
    read(folder, model, tmp_path / "o.csv", layout="page", debug_dir=shown)
    names = sorted(path.name for path in shown.iterdir())
    assert names == ["a.tif.1.png", "a.tif.2.png", "a.tif.3.png", "b.png.png"]
    with Image.open(shown / "a.tif.1.png") as picture:
        assert min(picture.size) > 600
