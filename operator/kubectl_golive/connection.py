"""One connection to the API server, over the standard library's HTTP and TLS."""

import http.client
import json
import os
import ssl
import tempfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

from kubectl_golive.kubeconfig import Access
from kubectl_golive.problems import Problem, UnreachableError, refusal

TIMEOUT_SECONDS = 5.0
"""Longest wait for a connection, and for an answer."""

Document = dict[str, Any]
"""An object as the API server sends it."""


class _NamedContext(ssl.SSLContext):
    """Expects another name in the server's certificate than the URL's host."""

    name: str | None = None

    def wrap_socket(self, *args: Any, **keywords: Any) -> ssl.SSLSocket:
        """Put the expected name in."""
        if self.name:
            keywords["server_hostname"] = self.name
        return super().wrap_socket(*args, **keywords)


class Connection:
    """One kept-alive connection; not for two threads at once."""

    def __init__(self, access: Access, context: ssl.SSLContext | None) -> None:
        self._access = access
        self._prefix = urlsplit(access.server).path
        self._headers = {"Accept": "application/json", "User-Agent": "kubectl-golive"}
        if access.token:
            self._headers["Authorization"] = f"Bearer {access.token}"
        self._http = _dial(access, context)

    def open(self) -> None:
        """Connect and shake hands now, so that the next request leaves at once."""
        try:
            self._http.connect()
        except OSError as error:
            raise UnreachableError(f"{self._access.server} can't be reached: {_why(error)}") from error

    def call(self, method: str, path: str, body: Document | None = None, *, kind: str = "json") -> Document:
        """Send a request and read the answer.

        Args:
            method: HTTP method.
            path: Path with its query.
            body: JSON to send.
            kind: Media type after `application/`.

        Raises:
            RefusedError: The API server did not accept it.
            UnreachableError: There was no answer.
        """
        response = self._send(method, path, body, kind)
        try:
            raw = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise UnreachableError(f"{self._access.server} broke off: {_why(error)}") from error
        return _judge(response.status, raw)

    def watch(self, path: str, *, seconds: float, **query: str) -> Iterator[Document]:
        """Yield the present objects and then every change, until the server or `seconds` of silence end it."""
        parameters = urlencode({"watch": "1", "timeoutSeconds": str(int(seconds) + 1), **query})
        try:
            response = self._send("GET", f"{path}?{parameters}", None, "json")
            if response.status != http.client.OK:
                _judge(response.status, response.read())
            if self._http.sock:
                self._http.sock.settimeout(seconds)
            while line := response.readline():
                yield json.loads(line)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise UnreachableError(f"{self._access.server} broke off: {_why(error)}") from error
        finally:
            self.close()

    def close(self) -> None:
        """Hang up; the next call connects again."""
        self._http.close()

    def _send(self, method: str, path: str, body: Document | None, kind: str) -> http.client.HTTPResponse:
        headers = self._headers | ({"Content-Type": f"application/{kind}"} if body is not None else {})
        try:
            self._http.request(method, self._prefix + path, None if body is None else json.dumps(body), headers)
            return self._http.getresponse()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise UnreachableError(f"{self._access.server} can't be reached: {_why(error)}") from error


def tls(access: Access) -> ssl.SSLContext:
    """How to check the server's certificate, and which one to present.

    Raises:
        Problem: The kubeconfig's certificates are none.
    """
    context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.name = access.server_name
    try:
        if not access.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif access.authority:
            context.load_verify_locations(cadata=access.authority.decode())
        else:
            context.load_default_certs()
        if access.certificate and access.key:
            _present(context, access.certificate + b"\n" + access.key)
    except (ssl.SSLError, ValueError) as error:
        raise Problem(f"the kubeconfig's certificates can't be used: {_why(error)}") from error
    return context


def _present(context: ssl.SSLContext, pem: bytes) -> None:
    """Load certificate and key, which OpenSSL takes from a file only; nobody else can read that file."""
    handle, path = tempfile.mkstemp(prefix="kubectl-golive-")
    try:
        os.write(handle, pem)
        context.load_cert_chain(path)
    finally:
        os.close(handle)
        os.unlink(path)  # noqa: PTH108  a Path for it costs more than it says


def _dial(access: Access, context: ssl.SSLContext | None) -> http.client.HTTPConnection:
    url = urlsplit(access.server)
    host, port = url.hostname or "", url.port or (443 if context else 80)
    proxy = access.proxy or _proxy_of(url.scheme, host)
    through = urlsplit(proxy) if proxy else None
    peer = (through.hostname or "", through.port or 3128) if through else (host, port)
    if context is None:
        return http.client.HTTPConnection(*peer, timeout=TIMEOUT_SECONDS)
    connection = http.client.HTTPSConnection(*peer, timeout=TIMEOUT_SECONDS, context=context)
    if through:
        connection.set_tunnel(host, port)
    return connection


def _proxy_of(scheme: str, host: str) -> str | None:
    """The environment's proxy for that host, as kubectl heeds it."""
    if not {"HTTPS_PROXY", "https_proxy"} & os.environ.keys():
        return None
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415  slow, seldom needed

    return None if proxy_bypass(host) else getproxies().get(scheme)


def _judge(status: int, raw: bytes) -> Document:
    """Parse an answer; anything but an object of the API with a code of success is an exception."""
    try:
        answer = json.loads(raw)
    except ValueError:
        answer = None
    if status == http.client.NOT_FOUND and not isinstance(answer, dict):
        raise refusal(status, {})  # the API server's own words for a group that it doesn't serve are no JSON
    if not isinstance(answer, dict) or "kind" not in answer:
        raise refusal(status, {"message": f"what answers ({status}) is no Kubernetes API server"})
    if status >= http.client.MULTIPLE_CHOICES:
        raise refusal(status, answer)
    return answer


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT_SECONDS:.0f} s"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
