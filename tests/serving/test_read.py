"""POST /read: the answers are those of bin/infer, whatever the form of the request."""

import base64
import io
import json
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnn.classifier import Classifier
from tests.conftest import command
from tests.pdf_files import sevens_pdf
from tests.serving.conftest import NUMBERS, SAMPLES, SEVEN, files_of

SEVEN_ROW = {"path": "upload.png", "prediction": "7", "status": "ok", "detail": None}


def infer(folder: Path, *arguments: object) -> bytes:
    """The bytes that bin/infer prints."""
    words = ("--input", folder, "--plot", "none", "--labels", "none")
    done = subprocess.run(
        command("infer", *words, *arguments), cwd=folder, capture_output=True
    )
    assert done.stdout, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("folder", "query", "arguments"),
    [
        (SAMPLES, "format=csv", ()),
        (
            SAMPLES,
            "format=jsonl&top-k=3&probabilities=true",
            ("--format", "jsonl", "--top-k", 3, "--probabilities"),
        ),
        (
            SAMPLES,
            "format=csv&classes=0-5&unsure_below=0.999",
            ("--classes", "0-5", "--unsure-below", 0.999),
        ),
        (
            SAMPLES,
            "format=csv&region=0,0,1,0.9&region=low=0,0.2,1,1",
            ("--region", "0,0,1,0.9", "low=0,0.2,1,1"),
        ),
        (
            NUMBERS,
            "format=csv&layout=line&boxes&length=1-12",
            ("--layout", "line", "--boxes", "--length", "1-12"),
        ),
        (
            NUMBERS,
            "format=jsonl&layout=page&separators=.,",
            ("--layout", "page", "--separators", ".,", "--format", "jsonl"),
        ),
    ],
)
def test_a_folder_of_files_is_read_as_by_infer_byte_for_byte(
    server, folder, query, arguments
):
    answer = server.read_files(files_of(folder), query)
    assert answer.content == infer(folder, *arguments)


def test_pages_of_documents_are_read_as_by_infer(server, tmp_path):
    (tmp_path / "a.pdf").write_bytes(sevens_pdf(12))
    pages = [Image.new("L", (40, 40), 255), Image.open(SEVEN).convert("L")]
    pages[0].save(tmp_path / "b.tif", save_all=True, append_images=pages[1:])
    (tmp_path / "c.png").write_bytes(SEVEN.read_bytes())
    files = files_of(tmp_path)
    for query, arguments in [("", ()), ("&pages=2-3,12", ("--pages", "2-3,12"))]:
        answer = server.read_files(files, "format=csv" + query)
        assert answer.content == infer(tmp_path, *arguments)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize(
    ("folder", "query", "arguments"),
    [
        (SAMPLES, "top-k=2&probabilities", ("--top-k", 2, "--probabilities")),
        (NUMBERS, "layout=line&boxes", ("--layout", "line", "--boxes")),
    ],
)
def test_parquet_is_the_file_of_infer_byte_for_byte(
    server, folder, query, arguments, tmp_path
):
    output = tmp_path / "rows.parquet"
    words = ("--input", folder, "--output", output, "--plot", "none")
    reading = command("infer", *words, "--labels", "none", *arguments)
    subprocess.run(reading, cwd=tmp_path, check=True)
    answer = server.read_files(files_of(folder), "format=parquet&" + query)
    assert answer.content == output.read_bytes()


def test_a_body_is_one_picture_of_any_content_type(server):
    for content_type in ("image/png", "application/x-www-form-urlencoded", ""):
        headers = {"content-type": content_type} if content_type else {}
        answer = server.client.post(
            "/read", content=SEVEN.read_bytes(), headers=headers
        )
        (row,) = answer.json()["rows"]
        assert row.pop("confidence") > 0.9
        assert row == SEVEN_ROW


def test_a_name_is_repeated_and_opens_no_file(server):
    name = "../../etc/passwd"
    answer = server.client.post(
        "/read", params={"name": name}, content=SEVEN.read_bytes()
    )
    assert answer.json()["rows"][0]["path"] == name
    files = [("files", ("/etc/passwd", b"no picture")), ("x", ("ü/7.png", b"no"))]
    rows = server.client.post("/read", files=files).json()["rows"]
    assert {row["path"] for row in rows} == {"/etc/passwd", "ü/7.png"}
    assert {row["status"] for row in rows} == {"unreadable"}


def test_a_name_is_the_one_that_form_data_escapes(server):
    """curl and browsers write a quotation mark as %22, and a line feed as %0A."""
    names = ('say "7".png', "two\nlines.png", "100%.png", "a;b=c,d.png")
    files = [("files", (name, SEVEN.read_bytes())) for name in names]
    rows = server.client.post("/read", files=files).json()["rows"]
    assert {row["path"] for row in rows} == set(names)


def test_a_document_without_a_name_has_all_its_pages(server):
    rows = server.read(sevens_pdf(3)).json()["rows"]
    assert [(row["path"], row["page"]) for row in rows] == [
        ("upload.pdf", 1),
        ("upload.pdf", 2),
        ("upload.pdf", 3),
    ]


def test_a_bad_file_among_others_has_its_own_row(server):
    files = [
        ("files", ("1.png", b"no picture")),
        ("files", ("2.png", SEVEN.read_bytes())),
        ("files", ("3.png", b"")),
    ]
    answer = server.client.post("/read", files=files)
    assert answer.status_code == 200
    rows = answer.json()["rows"]
    assert [row["status"] for row in rows] == ["unreadable", "ok", "unreadable"]
    assert rows[2]["detail"] == "empty file"


def test_simultaneous_requests_have_their_own_answers(server, digit_paths):
    """Micro-batches mix characters, numbers, classes and hostile files."""
    expected = Classifier.load("digits").predict_files(digit_paths[:120])
    found: dict[int, list] = {}
    number = (NUMBERS / files_of(NUMBERS)[0].name).read_bytes()

    def ask(start: int) -> None:
        found[start] = []
        for path in digit_paths[start : start + 15]:
            server.read(b"II*\0" + bytes(range(250)))
            server.read(number, "layout=line")
            answer = server.read(Path(path).read_bytes())
            found[start].append(answer.json()["rows"][0])

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(0, 120, 15)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for start, rows in found.items():
        for row, prediction in zip(rows, expected[start : start + 15], strict=True):
            assert row["prediction"] == prediction.prediction
            assert f"{row['confidence']:.6f}" == f"{prediction.confidence:.6f}"


def decode(url: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))


def test_a_preview_shows_the_picture_the_ink_and_the_network_input(server):
    path = SAMPLES / "small-on-page_4.png"
    answer = server.read(path.read_bytes(), "preview=true").json()
    (preview,) = answer["previews"]
    with Image.open(path) as original:
        assert (preview["width"], preview["height"]) == original.size
    picture = decode(preview["picture"])
    mask = decode(preview["mask"])
    assert picture.size == mask.size == (preview["width"], preview["height"])
    (character,) = preview["characters"][0]
    left, top, right, bottom = character["box"]
    ink = np.asarray(mask.getchannel("A")) > 128
    rows, columns = np.nonzero(ink)
    assert left <= columns.min() < columns.max() <= right
    assert top <= rows.min() < rows.max() <= bottom
    # The ink is dark on the picture, and the box is tight around it.
    gray = np.asarray(picture.convert("L")).astype(float)
    assert gray[ink].mean() < gray[~ink].mean() - 50
    assert right - left <= columns.max() - columns.min() + 4
    expected = Classifier.load("digits").predict_files(path)[0]
    np.testing.assert_allclose(
        np.asarray(decode(character["image"])) / 255,
        expected.image[..., 0],
        atol=0.5 / 255 + 1e-6,
    )
    np.testing.assert_allclose(
        character["probabilities"], expected.probabilities, atol=1e-6
    )
    assert preview["classes"] == list("0123456789")


def test_a_preview_of_a_number_shows_each_of_its_digits(server):
    path = files_of(NUMBERS)[0]
    answer = server.read(path.read_bytes(), "layout=line&preview").json()
    (preview,) = answer["previews"]
    (characters,) = preview["characters"]
    row = answer["rows"][0]
    assert "".join(c["prediction"] for c in characters) == row["prediction"]
    boxes = [c["box"] for c in characters]
    assert boxes == sorted(boxes)
    for character, expected in zip(characters, row["characters"], strict=True):
        assert decode(character["image"]).size == (28, 28)
        assert abs(sum(character["probabilities"]) - 1) < 1e-4
        assert np.abs(np.subtract(character["box"], expected["box"])).max() <= 1


def test_each_page_and_region_has_a_preview(server):
    query = "preview&region=0,0,1,0.5&region=0,0.5,1,1"
    answer = server.read(sevens_pdf(2), query).json()
    previews = answer["previews"]
    assert [(p["page"], p["region"]) for p in previews] == [
        (1, "1"), (1, "2"), (2, "1"), (2, "2"),
    ]  # fmt: skip
    assert [p["rows"] for p in previews] == [[0], [1], [2], [3]]
    height = previews[0]["height"]
    assert previews[1]["picture_box"] == [0, height // 2, previews[0]["width"], height]


def test_a_page_of_numbers_has_one_preview_and_a_list_per_number(server):
    path = files_of(NUMBERS)[0]
    answer = server.read(path.read_bytes(), "layout=page&preview").json()
    (preview,) = answer["previews"]
    assert preview["rows"] == list(range(len(answer["rows"])))
    texts = ["".join(c["prediction"] for c in of) for of in preview["characters"]]
    assert texts == [row["prediction"] for row in answer["rows"]]


def test_the_rows_are_the_very_lines_of_json_lines(server):
    content = SEVEN.read_bytes()
    text = server.read(content).text
    line = server.read(content, "format=jsonl").text.strip()
    assert text == '{"rows": [' + line + "]}\n"
    assert json.loads(text)["rows"] == [json.loads(line)]
