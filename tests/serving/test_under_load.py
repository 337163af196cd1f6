"""A server under load: lost processes, slow clients, full queues, and its end."""

import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.conftest import command
from tests.pdf_files import page, sevens_pdf, stream, write_pdf
from tests.serving.conftest import (
    NUMBERS,
    SEVEN,
    files_of,
    open_descriptors,
    start_server,
)


def connect(server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=60)


def receive_all(connection: socket.socket) -> bytes:
    parts = []
    while part := connection.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)


def test_a_killed_decoding_process_costs_no_request(server):
    """All of them are killed, again and again, while requests come."""
    seven = SEVEN.read_bytes()
    is_over = threading.Event()

    def kill() -> None:
        while not is_over.wait(1.0):
            for child in server.children():
                os.kill(child, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda _: server.read(seven), range(1000)))
    finally:
        is_over.set()
        killer.join()
    read = [answer for answer in answers if answer.status_code == 200]
    assert all(answer.json()["rows"][0]["prediction"] == "7" for answer in read)
    # A picture that two processes die of is given up, as by bin/infer.
    given_up = [answer for answer in answers if answer.status_code != 200]
    for answer in given_up:
        assert answer.json()["detail"] == "killed the process that read it, twice"
    assert len(read) >= 980
    assert server.read(seven).status_code == 200


def slow_pdf() -> bytes:
    """A page of 200,000 strokes, which takes several seconds."""
    strokes = b"0 0 m 70 140 7 99 33 5 c S\n" * 200_000
    pages = b"<< /Type /Pages /Count 1 /Kids [4 0 R] >>"
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", pages, stream(strokes)]
    return write_pdf([*objects, page(b"3 0 R", b"0 0 72 144")])


def test_a_picture_that_takes_too_long_costs_its_own_request_alone(tmp_path):
    slow = slow_pdf()
    seven = SEVEN.read_bytes()
    with start_server(tmp_path, "--workers", 1, "--decode-timeout", 1) as started:
        with ThreadPoolExecutor(4) as threads:
            slow_answers = [threads.submit(started.read, slow, "") for _ in range(2)]
            answers = [threads.submit(started.read, seven, "") for _ in range(6)]
        for answer in answers:
            assert answer.result().json()["rows"][0]["prediction"] == "7"
        for answer in slow_answers:
            assert answer.result().json()["detail"] == "took longer than 1 s"


def test_a_full_queue_says_when_to_come_back(tmp_path):
    numbers = files_of(NUMBERS)[0].read_bytes()
    with start_server(tmp_path, "--max-queue", 2) as started:
        started.read(numbers)
        with ThreadPoolExecutor(16) as threads:
            answers = list(
                threads.map(lambda _: started.read(numbers, "layout=page"), range(40))
            )
        statuses = {answer.status_code for answer in answers}
        assert statuses == {200, 429}
        for answer in answers:
            if answer.status_code == 429:
                assert int(answer.headers["retry-after"]) >= 1
                assert answer.json()["detail"].startswith("too many requests wait")
        assert started.client.get("/healthz").status_code == 200


def test_a_request_that_takes_too_long_is_given_up(tmp_path):
    with start_server(tmp_path, "--request-timeout", 1) as started:
        started.read(SEVEN.read_bytes())
        answer = started.read(sevens_pdf(500), "layout=page")
        assert answer.status_code == 503
        assert answer.json()["detail"] == "took longer than 1 s; ask for fewer pages"
        assert int(answer.headers["retry-after"]) >= 1
        assert started.read(SEVEN.read_bytes()).status_code == 200


def test_bodies_that_wait_take_bounded_memory(tmp_path):
    """Of six bodies of 0.9 MB that do not end, four fit."""
    head = b"POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
    with start_server(tmp_path, "--max-megabytes", 1) as started:
        with contextlib.ExitStack() as stack:
            for _ in range(6):
                connection = stack.enter_context(connect(started))
                connection.sendall(head + bytes(900_000))
            while " 4.0" not in in_progress(started):
                time.sleep(0.01)
            answer = started.read(bytes(900_000))
            assert answer.status_code == 429
            assert answer.json()["detail"].startswith("too many bytes of requests wait")
        while " 0.0" not in in_progress(started):
            time.sleep(0.01)
        assert started.read(SEVEN.read_bytes()).status_code == 200


def in_progress(server) -> str:
    """The line of the counter of requests that are read or wait."""
    lines = server.client.get("/metrics").text.splitlines()
    (line,) = (x for x in lines if x.startswith("cnn_requests_in_progress"))
    return line


def test_a_body_that_does_not_arrive_is_refused(limited):
    with connect(limited) as connection:
        connection.sendall(
            b"POST /read HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            b"Content-Length: 1000\r\n\r\nabc"
        )
        head, _, body = receive_all(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    words = "the body of the request did not arrive in 2 s"
    assert json.loads(body)["detail"] == words


def test_connections_without_a_request_are_dropped(server):
    beginnings = [b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: a\r\n"]
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(connect(server)) for _ in beginnings]
        for connection, beginning in zip(connections, beginnings, strict=True):
            connection.sendall(beginning)
        for connection in connections:
            with contextlib.suppress(ConnectionResetError):
                assert receive_all(connection) == b""


def test_work_for_a_client_that_has_gone_is_given_up(tmp_path):
    body = sevens_pdf(450)
    length = f"Content-Length: {len(body)}"
    with start_server(tmp_path, "--workers", 1) as started:
        started.read(SEVEN.read_bytes())
        with connect(started) as client:
            head = f"POST /read?layout=page HTTP/1.1\r\nHost: localhost\r\n{length}"
            client.sendall(f"{head}\r\n\r\n".encode() + body)
            while " 1.0" not in in_progress(started):
                time.sleep(0.005)
        while " 0.0" not in in_progress(started):
            time.sleep(0.005)
        counters = started.client.get("/metrics").text
    assert 'cnn_requests_total{path="/read",status="400"} 1.0' in counters
    assert 'cnn_rows_total{status="ok"} 1.0' in counters


def test_headers_of_any_length_are_not_kept(server):
    with connect(server) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        with pytest.raises(ConnectionError):
            connection.sendall((b"x-a: " + b"y" * 10_000 + b"\r\n") * 10_000)


def test_what_is_no_http_is_answered_in_json(server):
    with connect(server) as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        head, _, body = receive_all(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request")
    assert json.loads(body) == {"detail": "Invalid HTTP request received"}


def test_requests_in_a_row_on_one_connection_are_answered_in_order(server):
    body = SEVEN.read_bytes()
    names = [f"{i}.png" for i in range(5)]
    requests = [
        b"POST /read?name=%b HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
        % (name.encode(), len(body))
        + body
        for name in names
    ]
    requests[-1] = requests[-1].replace(
        b"Host: localhost\r\n", b"Host: localhost\r\nConnection: close\r\n"
    )
    with connect(server) as connection:
        connection.sendall(b"".join(requests))
        text = receive_all(connection).decode()
    places = [text.index(f'"path": "{name}"') for name in names]
    assert places == sorted(places)


def test_nothing_grows_with_the_number_of_requests(server):
    seven = SEVEN.read_bytes()

    def count_after_requests() -> int:
        for _ in range(200):
            server.read(b"GIF89a broken")
            server.read(seven, "preview")
        return open_descriptors(server.process.pid)

    before = count_after_requests()
    assert count_after_requests() <= before


def test_a_signal_finishes_what_is_in_hand(tmp_path):
    numbers = files_of(NUMBERS)[0].read_bytes()
    with start_server(tmp_path) as started:
        assert started.read(numbers).status_code == 200
        children = started.children()
        assert children
        for child in children:  # So that no request is answered too early.
            os.kill(child, signal.SIGSTOP)
        with ThreadPoolExecutor(6) as threads:
            answers = [
                threads.submit(started.read, numbers, "layout=page") for _ in range(6)
            ]
            while " 6.0" not in in_progress(started):
                time.sleep(0.005)
            started.process.send_signal(signal.SIGTERM)
            for child in children:
                os.kill(child, signal.SIGCONT)
            for answer in answers:
                assert answer.result().status_code == 200
        assert started.process.wait(timeout=30) == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://127.0.0.1:{started.port}/healthz")
        for child in children:
            assert not os.path.exists(f"/proc/{child}")


def test_a_second_signal_ends_at_once_without_a_trace(tmp_path):
    with start_server(tmp_path) as started:
        started.read(SEVEN.read_bytes())
        with connect(started) as slow:
            slow.sendall(
                b"POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"
            )
            while " 1.0" not in in_progress(started):
                time.sleep(0.005)
            started.process.send_signal(signal.SIGTERM)
            with pytest.raises(subprocess.TimeoutExpired):
                started.process.wait(timeout=1)
            started.process.send_signal(signal.SIGTERM)
            assert started.process.wait(timeout=10) == 0
        assert started.process.stderr.read() == ""


def test_standard_streams_may_be_closed(tmp_path):
    port = find_free_port()
    words = shlex.join(map(str, command("serve", "--port", port)))
    process = subprocess.Popen(["sh", "-c", f"exec {words} <&- >&- 2>&-"], cwd=tmp_path)
    with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
        answer = client.post(
            f"http://127.0.0.1:{port}/read", content=SEVEN.read_bytes(), timeout=60
        )
    process.terminate()
    assert answer.json()["rows"][0]["prediction"] == "7"
    assert process.wait(timeout=30) == 0


def find_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
