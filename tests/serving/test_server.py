"""The command bin/serve: its start, its words, its documents."""

import shutil
import socket
import subprocess
import sys
from urllib.parse import urlencode

import httpx
import pytest

from tests.conftest import ROOT, command
from tests.serving.conftest import NUMBERS, SAMPLES, SEVEN, files_of, start_server
from tests.serving.test_read import infer

# A value of each parameter of /read.
PARAMETERS = {
    "layout": "page",
    "region": "a=0,0,1,1",
    "length": "1-9",
    "pattern": "dddd",
    "separators": ".,",
    "pages": "1-3",
    "boxes": "true",
    "format": "csv",
    "probabilities": "true",
    "top-k": "3",
    "classes": "0-8",
    "unsure-below": "0.5",
    "name": "a.png",
    "preview": "true",
}


def test_an_address_that_is_in_use_is_named(run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", "--port", port)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: --port: 127.0.0.1:{port}: Address already in use;")
    assert "give another --port" in line


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("--port", "70000"), 2, "error: --port: expected 65535 or less, got 70000"),
        (("--host", "nowhere.invalid"), 1, "error: --host: nowhere.invalid: "),
        (
            ("--host", "203.0.113.1"),
            1,
            "error: --host: 203.0.113.1: expected an address",
        ),
        (("--port", 0, "--model", "x.h5"), 1, "error: x.h5: "),
        (("--port", 0, "--workers", 0), 2, "error: --workers: expected 1 or more"),
        (("--modle", "x.h5"), 2, "error: --modle: no such flag; did you mean --model?"),
        (("--port", 0, "--corrections", "/dev/null/a"), 1, "error: --corrections: "),
    ],
)
def test_a_wrong_setting_is_one_line(run, arguments, status, words):
    done = run("serve", *arguments)
    assert done.returncode == status
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith(words)
    assert "Traceback" not in done.stderr


def test_a_missing_package_is_named_with_the_remedy():
    code = (
        "import sys; sys.modules['uvloop'] = None; from cnn import cli; "
        "sys.exit(cli.main_serve(['--port', '0']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1
    words = "bin/serve needs the package uvloop; run: pip install -e '.[serve]'"
    assert done.stderr == f"error: {words}\n"


def test_a_model_of_ones_own_is_served(trained, tmp_path):
    shutil.copy(trained / "mnist_model.h5", tmp_path)
    with start_server(tmp_path) as started:
        found = started.read_files(files_of(SAMPLES), "format=csv").content
    model = tmp_path / "mnist_model.h5"
    assert found == infer(SAMPLES, "--model", model)


def test_the_model_and_the_limits_are_described(server):
    model = server.client.get("/model").json()
    assert model["classes"] == list("0123456789")
    assert model["name"] == "digits"
    assert 0 < model["unsure_below"] < model["string_unsure_below"] < 1
    assert model["max_bytes"] == 64_000_000
    assert model["corrections"] is True


def test_counters_are_in_the_format_of_prometheus(server):
    from prometheus_client.parser import text_string_to_metric_families

    def rows_ok() -> float:
        text = server.client.get("/metrics").text
        samples = [s for f in text_string_to_metric_families(text) for s in f.samples]
        found = {(s.name, s.labels.get("status")): s.value for s in samples}
        return found[("cnn_rows_total", "ok")]

    server.read(SEVEN.read_bytes())
    before = rows_ok()
    server.read_files([SEVEN, SEVEN, SEVEN])
    assert rows_ok() == before + 3


def test_the_interface_is_described_in_openapi(server):
    document = server.client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    parameters = document["paths"]["/read"]["post"]["parameters"]
    by_name = {parameter["name"]: parameter for parameter in parameters}
    assert by_name["layout"]["schema"]["enum"] == ["character", "line", "page"]
    assert by_name["top-k"]["schema"] == {"type": "integer", "minimum": 1}
    bounds = {"type": "number", "minimum": 0, "maximum": 1}
    assert by_name["unsure-below"]["schema"] == bounds
    assert set(by_name) == set(PARAMETERS)
    for path in document["paths"]:
        assert server.client.get(path).status_code in (200, 405)


@pytest.mark.parametrize(("name", "value"), PARAMETERS.items())
def test_every_parameter_that_is_described_is_accepted(server, name, value):
    content = files_of(NUMBERS)[0].read_bytes()
    of_characters = ("probabilities", "top-k", "layout")
    layout = {} if name in of_characters else {"layout": "line"}
    answer = server.read(content, urlencode({**layout, name: value}))
    assert answer.status_code == 200, answer.text


def test_requests_that_wait_for_a_broken_model_are_answered(tmp_path):
    (tmp_path / "broken.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(1000))
    arguments = ("--port", 0, "--model", "broken.h5")
    with subprocess.Popen(
        command("serve", *arguments), cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as process:
        url = process.stderr.readline().split()[2].rstrip(";")
        answer = httpx.post(f"{url}read", content=SEVEN.read_bytes(), timeout=60)
        error = process.stderr.read()
    assert answer.status_code == 503
    assert answer.json() == {"detail": "the model cannot be loaded"}
    assert process.returncode == 1
    assert error.startswith("error: broken.h5: ")
    assert "Traceback" not in error
