"""POST /table: rows of many answers become the file that bin/infer writes."""

import shutil
from urllib.parse import urlencode

import pytest

from tests.pdf_files import sevens_pdf
from tests.serving.conftest import NUMBERS, SAMPLES, files_of
from tests.serving.test_read import infer


def read_one_by_one(server, paths, query=""):
    rows = []
    for path in reversed(paths):
        name = urlencode({"name": path.name})
        answer = server.read(path.read_bytes(), f"{query}&{name}")
        rows += answer.json()["rows"]
    return rows


def table(server, rows, query=""):
    return server.client.post(f"/table?format=csv&{query}", json={"rows": rows})


def test_rows_of_single_files_are_the_csv_of_their_folder(server, tmp_path):
    for path in files_of(SAMPLES):
        shutil.copy(path, tmp_path)
    for i in (10, 9):
        (tmp_path / f"document {i}.pdf").write_bytes(sevens_pdf(2))
    (tmp_path / 'notes, "old".txt').write_bytes(b"no picture")
    (tmp_path / "empty.png").touch()
    rows = read_one_by_one(server, files_of(tmp_path))
    answer = table(server, rows)
    assert answer.content == infer(tmp_path)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="predictions.csv"' in answer.headers["content-disposition"]


@pytest.mark.parametrize(
    ("query", "arguments"),
    [
        ("layout=line", ("--layout", "line")),
        ("layout=page&boxes=true", ("--layout", "page", "--boxes")),
    ],
)
def test_rows_of_numbers_are_the_csv_of_their_folder(server, query, arguments):
    rows = read_one_by_one(server, files_of(NUMBERS), query)
    assert table(server, rows, query).content == infer(NUMBERS, *arguments)


def test_corrections_are_labels(server):
    rows = read_one_by_one(server, files_of(SAMPLES)[:2])
    rows[0]["label"] = "8"
    lines = table(server, rows).text.splitlines()
    assert lines[0] == "path,prediction,confidence,status,detail,label"
    assert sorted(line[-1] for line in lines[1:]) == [",", "8"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"[", "expected a JSON object"),
        (b"[]", "expected a JSON object"),
        (b'{"rows": [1]}', "expected a JSON object"),
        (b'{"rows": [{}]}', "rows: path: expected a text, got None"),
        (
            b'{"rows": [{"path": "a", "status": "ok", "confidence": true}]}',
            "rows: confidence: expected a number, got True",
        ),
        (b'{"rows": [{"path": "a", "status": "ok", "confidence": NaN}]}', "expected a"),
        (b"[" * 100_000, "expected a JSON object"),
    ],
)
def test_what_is_no_table_is_refused(server, body, words):
    answer = server.client.post("/table", content=body)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(words)


def test_no_rows_are_a_header(server):
    assert table(server, []).text == "path,prediction,confidence,status,detail\n"
