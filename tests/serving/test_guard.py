"""Who may ask, and what a browser is told."""

import socket

import pytest

from tests.serving.conftest import SEVEN, start_server


@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [
        ("localhost", True),
        ("LOCALHOST:8000", True),
        ("127.0.0.1:1", True),
        ("[::1]:80", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("user@localhost", False),
    ],
)
def test_only_names_of_this_machine_are_answered(server, host, is_allowed):
    answer = server.client.get("/model", headers={"host": host})
    assert answer.status_code == (200 if is_allowed else 400)
    if not is_allowed:
        assert "is no name of this server" in answer.json()["detail"]
        assert "--allow-host" in answer.json()["detail"]


def test_two_host_headers_are_refused(server):
    head = b"GET /model HTTP/1.1\r\nHost: evil.example\r\nHost: localhost\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(head)
        assert client.recv(1000).startswith(b"HTTP/1.1 400 ")


def test_the_owner_can_allow_further_names(tmp_path):
    with start_server(tmp_path, "--allow-host", "digits.example", "b") as started:
        for name in ("Digits.example", "b:80"):
            answer = started.client.get("/model", headers={"host": name})
            assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site"},
    ],
)
def test_pages_of_other_sites_are_refused(server, headers):
    answer = server.client.post("/read", content=SEVEN.read_bytes(), headers=headers)
    assert answer.status_code == 400
    assert "a page of another site asks" in answer.json()["detail"]


def test_the_page_of_the_server_itself_is_answered(server):
    headers = {
        "origin": f"http://127.0.0.1:{server.port}",
        "sec-fetch-site": "same-origin",
    }
    answer = server.client.post("/read", content=SEVEN.read_bytes(), headers=headers)
    assert answer.status_code == 200


def test_every_answer_has_a_strict_policy(server):
    for path in ("/", "/model", "/nothing", "/page/nothing"):
        headers = server.client.get(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; ")
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"


def test_the_page_comes_from_this_server_alone(server):
    page = server.client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "//" not in page.text.replace("http://www.w3.org/", "")
    tag = page.headers["etag"]
    for tags in (tag, f'"other", {tag}', f"W/{tag}"):
        again = server.client.get("/", headers={"if-none-match": tags})
        assert (again.status_code, again.content) == (304, b"")
    other = server.client.get("/", headers={"if-none-match": '"other"'})
    assert other.status_code == 200
