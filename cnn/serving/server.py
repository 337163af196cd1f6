"""Starts and ends the server of `bin/serve`."""

import asyncio
import contextlib
import errno
import gc
import ipaddress
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import uvicorn
import uvloop

from cnn import models, parallel
from cnn.errors import Error
from cnn.image_files.decode_process import WorkerStartError
from cnn.serve_config import ServeConfig
from cnn.serving.app import Service, make_app
from cnn.serving.corrections import Corrections
from cnn.serving.decode_queue import DecodeQueue
from cnn.serving.http_protocol import DeadlineProtocol
from cnn.serving.reader import Reader

if TYPE_CHECKING:
    from cnn.classifier import Classifier

_BACKLOG = 1024
# Seconds between the requests of a connection.
_KEEP_ALIVE_SECONDS = 15
# Seconds that a thread may hold the interpreter while another one waits for it: the
# event loop shall answer while numbers are searched.
_SWITCH_SECONDS = 0.001
# Descriptor of the last standard stream.
_STDERR = 2


class ServeError(Error):
    """The server cannot be started."""


def serve(config: ServeConfig) -> None:
    """Serves until a signal ends it, and finishes what is in hand.

    Args:
      config: the settings.

    Raises:
      cnn.Error: the address, the model or the folder of corrections cannot be used.
    """
    _open_standard_streams()
    corrections = Corrections(config.corrections) if config.corrections else None
    _raise_file_limit()
    with _listen(config) as listener:
        sys.setswitchinterval(_SWITCH_SECONDS)
        uvloop.run(_serve(config, listener, corrections))


async def _serve(
    config: ServeConfig, listener: socket.socket, corrections: Corrections | None
) -> None:
    try:
        queue = DecodeQueue(
            config.workers or parallel.cpu_count(), config.decode_timeout
        )
    except WorkerStartError as error:
        raise ServeError(
            f"no process to decode pictures can be started: {error}"
        ) from error
    reader = Reader(queue, config.max_pages)
    server = _Server(
        _uvicorn_config(make_app(Service(config, reader, corrections), config))
    )
    loading = asyncio.create_task(_load_model(config, reader, server))
    _announce(config, listener)
    try:
        await server.serve(sockets=[listener])
        await loading
    finally:
        reader.close()


async def _load_model(config: ServeConfig, reader: Reader, server: "_Server") -> None:
    """Loads the model in a thread, while the page is served already."""
    try:
        classifier = await asyncio.to_thread(_load_classifier, config)
    except BaseException:
        server.should_exit = True
        reader.classifier.cancel()
        raise
    # What is loaded by now lives until the end. To search it for cycles would halt the
    # server for a tenth of a second every few thousand requests.
    gc.freeze()
    reader.classifier.set_result(classifier)


def _load_classifier(config: ServeConfig) -> "Classifier":
    """Loads the model, and compiles the network."""
    import numpy as np

    from cnn.classifier import Classifier

    classifier = Classifier.load(config.model or models.find_model(None))
    classifier.predict_proba(np.zeros((1, 28, 28), np.float32))
    if "jax" in sys.modules:  # Else a program that was kept has the parameters.
        import jax

        # Once, and not for each request.
        classifier.params = jax.device_put(classifier.params)
    return classifier


class _Server(uvicorn.Server):
    """uvicorn's server, whose end by a signal is no error."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Begins to end at the first signal, and ends at once at the second."""
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        for number in numbers:
            if signal.getsignal(number) != signal.SIG_IGN:  # Ignored under nohup.
                loop.add_signal_handler(number, self._end)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)

    def _end(self) -> None:
        if self.should_exit:  # Requests that are cut off are no mistakes to log.
            logging.disable()
        self.force_exit = self.should_exit
        self.should_exit = True


def _uvicorn_config(app: Any) -> uvicorn.Config:
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    return uvicorn.Config(
        app,
        http=DeadlineProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )


def _open_standard_streams() -> None:
    """Opens those that are closed. libuv aborts if a socket has got their number."""
    descriptor = os.open(os.devnull, os.O_RDWR)
    while descriptor <= _STDERR:
        descriptor = os.dup(descriptor)
    os.close(descriptor)


def _raise_file_limit() -> None:
    """Allows as many open files as the system does, of connections and uploads."""
    _, highest = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest, highest))


def _listen(config: ServeConfig) -> socket.socket:
    """Opens the socket, before anything else takes time."""
    try:
        (family, *_, address) = socket.getaddrinfo(
            config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise ServeError(f"--host: {config.host}: {error.strerror}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRNOTAVAIL:
            raise ServeError(
                f"--host: {config.host}: expected an address of this machine"
            ) from error
        raise ServeError(
            f"--port: {config.host}:{config.port}: {error.strerror}; give another "
            "--port, or 0 for any free one"
        ) from error
    listener.setblocking(False)
    return listener


def _announce(config: ServeConfig, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    url = f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
    parts = [f"serving on {url}"]
    if config.model is None:
        parts.append(f"model: {models.describe_default()}")
    if config.corrections is not None:
        parts.append(f"corrections in {config.corrections}")
    if not ipaddress.ip_address(host).is_loopback:
        parts.append("other machines can use it")
    parts.append("Ctrl-C ends it")
    print("; ".join(parts), file=sys.stderr, flush=True)
