"""Errors of requests: JSON with one sentence, the right status, never a trace."""

import gzip
import io
import socket

import pytest
from PIL import Image

from tests.pdf_files import sevens_pdf
from tests.serving.conftest import SEVEN

NOT_AN_IMAGE = (
    "not an image (expected PNG, JPEG, BMP, GIF, TIFF, WEBP, PPM, AVIF, HEIC, PDF)"
)


def huge_png() -> bytes:
    """A small file of a picture with too many pixels."""
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "PNG")
    return file.getvalue()


def test_what_is_no_picture_has_the_sentence_of_the_csv(server):
    answer = server.read(b"hello")
    assert answer.status_code == 415
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body["detail"] == body["rows"][0]["detail"] == NOT_AN_IMAGE
    assert body["rows"][0]["status"] == "unreadable"


def test_a_picture_with_too_many_pixels_is_too_large(server):
    answer = server.read(huge_png())
    assert answer.status_code == 413
    assert answer.json()["detail"].startswith("too large: more than 178,")


def test_a_damaged_picture_is_a_bad_request(server):
    answer = server.read(SEVEN.read_bytes()[:120])
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("damaged image")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("colour=red", "colour: no parameter of a request; expected layout, region,"),
        ("model=x.h5", "model: no parameter of a request"),
        ("layout=word", "layout: expected character or line or page, got word"),
        ("top-k=many", "top-k: expected a whole number, got many"),
        ("top_k=0", "top-k: expected 1 or more, got 0"),
        ("unsure-below=2", "unsure-below: expected 1 or less, got 2.0"),
        ("length=", "length: expected a value, got an empty text"),
        ("length=3", "length: goes with layout line or page, got layout character"),
        ("layout=line&length=x", "length: expected"),
        ("boxes=perhaps", "boxes: expected true or false, got perhaps"),
        ("region=1,2,3", "region: expected LEFT,TOP,RIGHT,BOTTOM"),
        ("layout=line&layout=page", "layout: given twice"),
        ("classes=x-z", "classes: "),
        ("format=xml", "format: expected csv or jsonl or parquet"),
        ("pages=0", "pages: "),
    ],
)
def test_a_wrong_parameter_is_named(server, query, words):
    answer = server.read(SEVEN.read_bytes(), query)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(words)
    assert "--" not in answer.json()["detail"]


def test_a_request_without_a_picture_says_what_to_send(server):
    for answer in (
        server.read(b""),
        server.client.post("/read", files={"a": (None, "text")}),
    ):
        assert answer.status_code == 400
        assert answer.json()["detail"].startswith("no picture in the request; send ")


def test_broken_form_data_is_a_bad_request(server):
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=x"):
        answer = server.client.post(
            "/read", content=b"--y\r\nno", headers={"content-type": content_type}
        )
        assert answer.status_code == 400, answer.text
        assert answer.json()["detail"].startswith(
            ("multipart/form-data: ", "no picture in the request")
        )


def test_unknown_paths_and_methods_are_json(server):
    answer = server.client.get("/cnn/config.py")
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("/cnn/config.py: no such path")
    answer = server.client.get("/read")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.json()["detail"] == "/read: no GET here"


def test_a_long_path_is_not_repeated_as_a_whole(server):
    answer = server.client.get("/" + 5000 * "a")
    assert answer.status_code == 404
    assert len(answer.text) < 200


def test_a_compressed_body_is_refused_by_its_name(server):
    headers = {"content-encoding": "gzip"}
    content = gzip.compress(SEVEN.read_bytes())
    answer = server.client.post("/read", content=content, headers=headers)
    assert answer.status_code == 415
    words = "content-encoding: expected none, got gzip; send it as it is"
    assert answer.json()["detail"] == words


@pytest.mark.parametrize(
    ("length", "header"), [(1_000_001, "Expect: 100-continue"), (10**10, "X: y")]
)
def test_a_body_that_is_announced_as_too_large_is_not_awaited(limited, length, header):
    """curl asks by `Expect` before it sends more than a megabyte."""
    with socket.create_connection(("127.0.0.1", limited.port), timeout=10) as client:
        head = f"POST /read HTTP/1.1\r\nHost: localhost\r\n{header}\r\n"
        client.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode())
        assert client.recv(1000).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "path",
    ["/page/../serving/app.py", "/page/%2e%2e/app.py", "/page//etc/passwd", "/page/x"],
)
def test_no_file_but_the_page_is_served(server, path):
    answer = server.client.get(path)
    assert answer.status_code == 404
    assert "import" not in answer.text


def test_too_many_bytes_files_and_pages_are_too_large(limited):
    answer = limited.read(bytes(1_000_001))
    assert answer.status_code == 413
    assert answer.json()["detail"] == "expected at most 1,000,000 bytes in a request"
    seven = SEVEN.read_bytes()
    files = [("files", (f"{i}.png", seven)) for i in range(4)]
    answer = limited.client.post("/read", files=files)
    assert answer.status_code == 413
    assert "Maximum number of files is 3" in answer.json()["detail"]
    assert limited.client.post("/read", files=files[:3]).status_code == 200
    answer = limited.read(sevens_pdf(5))
    assert answer.status_code == 413
    assert answer.json()["detail"].startswith("5 pages and regions; expected at most 4")
    assert len(limited.read(sevens_pdf(5), "pages=2-5").json()["rows"]) == 4


def test_a_body_of_unknown_length_is_limited_too(limited):
    answer = limited.client.post("/read", content=(bytes(100_000) for _ in range(30)))
    assert answer.status_code == 413
