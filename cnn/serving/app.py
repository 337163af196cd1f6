"""The ASGI application of `bin/serve`: routes, limits, and errors as JSON."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

import cnn
from cnn.errors import Error, is_from_surroundings
from cnn.serve_config import ServeConfig
from cnn.serving.admission import Admission, Ticket
from cnn.serving.answers import JSON_TYPE, encode_answer, encode_file
from cnn.serving.client_watch import ClientWatch
from cnn.serving.corrections import Corrections
from cnn.serving.errors import RequestError, describe_error
from cnn.serving.guard import Guard
from cnn.serving.metrics import Metrics
from cnn.serving.model_card import describe_model
from cnn.serving.openapi import describe_interface
from cnn.serving.page_files import INDEX, load_page
from cnn.serving.previews import PreviewMaker
from cnn.serving.read_query import ReadQuery, parse_query
from cnn.serving.reader import Reader
from cnn.serving.table import parse_table
from cnn.serving.uploads import (
    BodyLimits,
    Upload,
    files_in_memory,
    receive_body,
    receive_uploads,
)

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_NO_STORE = {"cache-control": "no-store"}

# Bodies of the largest size that may be in memory at a time.
_MAX_WAITING_BODIES = 4

# Most characters of a path that an error repeats.
_MAX_PATH = 80

Endpoint = Callable[[Request], Awaitable[Response]]
LimitedEndpoint = Callable[[Request, Ticket], Awaitable[Response]]


class Service:
    """The endpoints, and what they share."""

    def __init__(
        self, config: ServeConfig, reader: Reader, corrections: Corrections | None
    ) -> None:
        """Takes the parts of a server.

        Args:
          config: the settings.
          reader: reads pictures.
          corrections: keeps corrected ones, or None.
        """
        self._config = config
        self._reader = reader
        self._corrections = corrections
        self._admission = Admission(
            config.max_queue, _MAX_WAITING_BODIES * config.max_bytes
        )
        self._metrics = Metrics(reader, self._admission, cnn.__version__)
        self._page = load_page()
        self._interface = describe_interface(config)
        self._limits = BodyLimits(config.max_bytes, config.max_files)

    async def read(self, request: Request, ticket: Ticket) -> Response:
        """Reads the pictures of a request."""
        query = parse_query(_query_of(request))
        uploads = await receive_uploads(request, self._limits, ticket, query.name)
        describe = PreviewMaker(self._reader, ticket) if query.has_preview else None
        with files_in_memory(uploads) as files, ClientWatch(request):
            result = await self._reader.read(files, query.config, describe)
        statuses = [p.status for of in result.results for p in of.predictions]
        self._metrics.count_rows(statuses)
        body, media_type = encode_answer(result, query.config, query.has_preview)
        return Response(body, media_type=media_type, headers=_NO_STORE)

    async def table(self, request: Request, ticket: Ticket) -> Response:
        """Makes one file of the rows of many answers."""
        query = parse_query(_query_of(request))
        body = await receive_body(request, self._limits, ticket)
        classifier = self._reader.derive(await self._reader.loaded(), query.config)
        row_format, rows = parse_table(body, query.config, classifier.class_names)
        content, media_type = encode_file(row_format, rows)
        name = f"predictions.{row_format.endings[0]}"
        headers = _NO_STORE | {"content-disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=media_type, headers=headers)

    async def correct(self, request: Request, ticket: Ticket) -> Response:
        """Keeps a corrected picture."""
        if self._corrections is None:
            raise RequestError(404, "no corrections are kept; bin/serve --corrections")
        class_name, query = _parse_correction(_query_of(request))
        uploads = await receive_uploads(request, self._limits, ticket, query.name)
        if len(uploads) > 1:
            raise RequestError(400, "expected one picture, got several")
        path = await self._keep_correction(uploads[0], query.config, class_name)
        return _json({"path": path, "class": class_name}, status=201)

    async def _keep_correction(
        self, upload: Upload, config: Any, class_name: str
    ) -> str:
        assert self._corrections is not None
        with files_in_memory([upload]) as files:
            sources = list(await self._reader.expand(files, config))
            if len(sources) != 1:
                raise RequestError(
                    400, f"expected one page or region, got {len(sources)}; add page=1"
                )
            source = files.locate(sources[0][1])
            return await self._corrections.add(self._reader, source, class_name)

    async def model(self, _: Request) -> Response:
        """Describes the model and the limits."""
        return _json(describe_model(await self._reader.loaded(), self._config))

    async def health(self, _: Request) -> Response:
        """Says whether pictures can be read."""
        if not self._reader.classifier.done():
            raise RequestError(503, "the model is being loaded")
        await self._reader.loaded()  # Loading may have failed.
        return _json({"status": "ok"})

    async def metrics(self, _: Request) -> Response:
        """Shows the counters."""
        content = self._metrics.encode()
        return Response(content, headers={**_NO_STORE, "content-type": _METRICS_TYPE})

    async def interface(self, _: Request) -> Response:
        """Describes the interface in OpenAPI."""
        return _json(self._interface)

    async def page(self, request: Request) -> Response:
        """Serves a file of the page."""
        file = self._page.get(request.path_params.get("name", INDEX))
        if file is None:
            raise RequestError(404, "no such page")
        return file.respond(request)

    def measured(self, endpoint: Endpoint) -> Endpoint:
        """Counts the requests of an endpoint, and turns errors into answers."""

        async def measure(request: Request) -> Response:
            start = monotonic()
            try:
                response = await endpoint(request)
            except (Error, OSError, MemoryError) as error:
                response = _explain(error)
            path = request.scope["route"].path
            self._metrics.count_request(path, response.status_code, start)
            return response

        return measure

    def limited(self, endpoint: LimitedEndpoint) -> Endpoint:
        """Bounds the number of requests that wait, their memory and their time."""
        seconds = self._config.request_timeout

        async def limit(request: Request) -> Response:
            with self._admission.admit() as ticket:
                try:
                    async with asyncio.timeout(seconds):
                        return await endpoint(request, ticket)
                except TimeoutError as error:
                    raise _late(ticket, seconds) from error

        return self.measured(limit)


def make_app(service: Service, config: ServeConfig) -> ASGIApp:
    """Makes the application.

    Args:
      service: the endpoints.
      config: the settings.
    """
    get = service.measured
    post = service.limited
    routes = [
        # They are tried in turn, so the most frequent one is the first.
        Route("/read", post(service.read), methods=["POST"]),
        Route("/", get(service.page)),
        Route("/page/{name}", get(service.page)),
        Route("/model", get(service.model)),
        Route("/healthz", get(service.health)),
        Route("/metrics", get(service.metrics)),
        Route("/openapi.json", get(service.interface)),
        Route("/table", post(service.table), methods=["POST"]),
        Route("/corrections", post(service.correct), methods=["POST"]),
    ]
    handlers: Any = {HTTPException: _explain_http, Exception: _explain_bug}
    app = Starlette(routes=routes, exception_handlers=handlers)
    return Guard(app, config.host, config.allow_host)


def _late(ticket: Ticket, seconds: float) -> RequestError:
    """Says which part of a request took too long."""
    if not ticket.has_body:
        words = f"the body of the request did not arrive in {seconds:g} s"
        return RequestError(400, words)
    return RequestError(503, f"took longer than {seconds:g} s; ask for fewer pages")


def _query_of(request: Request) -> str:
    """Returns the query of a URL, which some clients send in UTF-8 as it is.

    `request.url` would build the whole URL anew.
    """
    query: bytes = request.scope["query_string"]
    return query.decode("utf-8", "replace")


def _parse_correction(query: str) -> tuple[str, ReadQuery]:
    """Returns the true class of a correction, and how its picture is read."""
    pairs = parse_qsl(query, keep_blank_values=True)
    class_names = [value for key, value in pairs if key == "class"]
    if len(class_names) > 1:
        raise RequestError(400, "class: given twice")
    rest = [("pages" if k == "page" else k, v) for k, v in pairs if k != "class"]
    return "".join(class_names), parse_query(urlencode(rest))


def _json(value: Any, status: int = 200) -> Response:
    content = json.dumps(value) + "\n"
    return Response(content, status, media_type=JSON_TYPE, headers=_NO_STORE)


def _explain(error: Exception) -> Response:
    if not isinstance(error, RequestError):
        error = _to_request_error(error)
    headers = {**_NO_STORE, **error.headers}
    return Response(error.body, error.status, media_type=JSON_TYPE, headers=headers)


def _to_request_error(error: Exception) -> RequestError:
    """Blames the request for our own errors, and this machine for a lack of memory.

    Raises:
      Exception: the error itself, if it is a mistake of the server.
    """
    if isinstance(error, Error):
        return RequestError(400, describe_error(error))
    if is_from_surroundings(error):
        return RequestError(503, "the server lacks memory or open files")
    raise error


async def _explain_http(request: Request, error: Any) -> Response:
    """Explains an unknown path or a wrong method."""
    path: str = request.scope["path"][:_MAX_PATH]
    words = {404: f"{path}: no such path; /openapi.json lists all"}
    words[405] = f"{path}: no {request.method} here"
    detail = words.get(error.status_code, error.detail)
    response = _explain(RequestError(error.status_code, detail))
    response.headers.update(error.headers or {})
    return response


async def _explain_bug(_: Request, __: Exception) -> Response:
    """Says that the server is to blame. uvicorn logs the traceback."""
    return _explain(RequestError(500, "the server has failed; its log says more"))
