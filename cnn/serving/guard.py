"""Checks who asks, and adds headers that keep browsers safe: an ASGI middleware."""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cnn.serving.errors import RequestError

# Nothing of another host, no inline script, and no page around this one.
_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
SAFETY_HEADERS = [
    (b"content-security-policy", _CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), microphone=(), geolocation=()"),
]
_JSON_HEADER = (b"content-type", b"application/json")


class Guard:
    """Refuses requests under foreign names, and from pages of other sites.

    A page of another site can have a name of its own lead to this machine, to read
    answers (DNS rebinding), or send forms here.
    """

    def __init__(self, app: ASGIApp, host: str, allowed: Collection[str]) -> None:
        """Wraps an application.

        Args:
          app: the application.
          host: the address that the server listens on.
          allowed: further names of the server.
        """
        self._app = app
        self._names = {"localhost", host.lower(), *(name.lower() for name in allowed)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, or hands it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *SAFETY_HEADERS]
            await send(message)

        try:
            self._check(scope["headers"])
        except RequestError as error:
            await _refuse(error, send_safely)
            return
        await self._app(scope, receive, send_safely)

    def _check(self, pairs: Collection[tuple[bytes, bytes]]) -> None:
        if sum(name == b"host" for name, _ in pairs) > 1:
            raise RequestError(400, "host: given twice")
        headers = dict(pairs)
        host = headers.get(b"host", b"").decode("latin-1")
        if not self._is_own(_host_name(host)):
            raise RequestError(
                400,
                f"host {host!r:.80}: is no name of this server; its owner can allow "
                "it by --allow-host",
            )
        origin = headers.get(b"origin")
        if origin is not None and _origin_host(origin.decode("latin-1")) != host:
            raise RequestError(400, "origin: a page of another site asks")
        if headers.get(b"sec-fetch-site") in (b"cross-site", b"same-site"):
            raise RequestError(400, "sec-fetch-site: a page of another site asks")

    def _is_own(self, name: str) -> bool:
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _host_name(host: str) -> str:
    """Returns the name or address of a `Host` header, without its port.

    Example:
      >>> _host_name("[::1]:8000"), _host_name("Localhost:80"), _host_name("a@b")
      ('::1', 'localhost', '')
    """
    try:
        parts = urlsplit(f"//{host}")
        return "" if parts.netloc != host or "@" in host else parts.hostname or ""
    except ValueError:
        return ""


def _origin_host(origin: str) -> str:
    """Returns host and port of an `Origin` header, empty for `null`."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


async def _refuse(error: RequestError, send: Send) -> None:
    length = str(len(error.body)).encode()
    headers = [_JSON_HEADER, (b"content-length", length)]
    await send(
        {"type": "http.response.start", "status": error.status, "headers": headers}
    )
    await send({"type": "http.response.body", "body": error.body})
