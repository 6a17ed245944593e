"""Webhooks over real TLS: the answer of exactly that address, or none."""

import gzip
import re
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from golive_api.policy import Webhook
from golive_decisions import own_checks
from golive_decisions.preflight_run import Answer
from golive_decisions.verdicts import Verdict
from golive_dev.pki import Authority
from golive_operator import probing
from golive_operator.outside import RefusedError, refuse

Serve = Callable[..., Any]
"""Starts a server."""
OK = (200, b'{"ok": true}')


def ask(desk: Any, bundle: str, url: str, **changes: Any) -> tuple[Answer, Verdict]:
    """What a webhook answers in a real run, and what is made of it."""
    webhook = {"name": "freeze", "url": url, "caBundle": bundle, **changes}
    run = desk.run({"webhooks": [webhook]})
    ((asked, answer),) = run.webhooks
    assert asked == Webhook.model_validate(webhook)
    return answer, own_checks.webhook(asked, run)


@pytest.fixture
def bundle(authority: Authority) -> str:
    """The authority's certificate, as a policy holds it."""
    return authority.certificate_file.read_text()


def test_an_address_under_the_policys_own_authority_passes(desk: Any, serve: Serve, bundle: str) -> None:
    """By GET, without cookies, and with nothing that says who asks."""
    site = serve({"GET /ok": OK})
    answer, verdict = ask(desk, bundle, f"https://127.0.0.1:{site.port}/ok")
    assert (answer, verdict.passed) == (Answer(200, '{"ok": true}'), True)
    ((asked, headers),) = site.asked
    assert asked == "GET /ok"
    assert not {"cookie", "authorization", "proxy-authorization"} & headers.keys()


def test_a_secrets_token_is_sent_as_bearer_token(desk: Any, serve: Serve, bundle: str) -> None:
    """It is read at each run; without it nobody is asked."""
    site = serve({"GET /ok": OK})
    url = f"https://127.0.0.1:{site.port}/ok"
    for secret in ("first", "second\n"):
        desk.secrets["freeze-token"] = secret
        assert ask(desk, bundle, url, secretName="freeze-token")[1].passed
    assert [headers["authorization"] for _, headers in site.asked] == ["Bearer first", "Bearer second"]
    for missing in ({}, {"freeze-token": " \n"}):
        desk.secrets = missing
        answer, verdict = ask(desk, bundle, url, secretName="freeze-token")
        assert (answer.status, verdict.passed, "freeze-token" in verdict.message) == (None, False, True)
    desk.secrets = {"freeze-token": "one\r\nX-Injected: two"}
    assert not ask(desk, bundle, url, secretName="freeze-token")[1].passed
    assert len(site.asked) == 2


def test_a_redirect_is_not_followed(desk: Any, serve: Serve, bundle: str) -> None:
    """Nor is the token carried elsewhere."""
    elsewhere = serve({"GET /ok": OK})

    def redirect(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", f"https://127.0.0.1:{elsewhere.port}/ok")
        handler.end_headers()

    site = serve({"GET /ok": redirect})
    answer, verdict = ask(desk, bundle, f"https://127.0.0.1:{site.port}/ok")
    assert (answer.status, verdict.passed) == (302, False)
    assert elsewhere.asked == []


def test_a_certificate_must_be_todays_for_that_host_by_that_authority(
    desk: Any, serve: Serve, bundle: str, tmp_path: Path
) -> None:
    """Anything else could be anybody."""
    stranger = Authority(tmp_path / "stranger", now=datetime.now(UTC))
    sites = {
        "self-signed": serve({"GET /ok": OK}, by=stranger),
        "Hostname mismatch|IP address mismatch": serve({"GET /ok": OK}, host="other.example"),
    }
    for says, site in sites.items():
        answer, verdict = ask(desk, bundle, f"https://127.0.0.1:{site.port}/ok")
        assert (answer.status, verdict.passed) == (None, False)
        assert "Certificate" in answer.error, says
        assert site.asked == []
    trusted = serve({"GET /ok": OK})
    answer, _ = ask(desk, "", f"https://127.0.0.1:{trusted.port}/ok")  # by the system's authorities
    assert answer.status is None


def test_an_expired_certificate_is_refused(desk: Any, serve: Serve, tmp_path: Path) -> None:
    """However well it was signed."""
    past = Authority(tmp_path / "past", now=datetime.now(UTC) - timedelta(days=30))
    site = serve({"GET /ok": OK}, by=past)
    answer, verdict = ask(desk, past.certificate_file.read_text(), f"https://127.0.0.1:{site.port}/ok")
    assert (answer.status, verdict.passed, "expired" in answer.error) == (None, False, True)


def test_a_bundle_that_is_none_is_an_error(desk: Any, serve: Serve) -> None:
    """And not a reason to trust the system's authorities."""
    site = serve({"GET /ok": OK})
    answer, _ = ask(desk, "-----BEGIN CERTIFICATE-----\nnonsense", f"https://127.0.0.1:{site.port}/ok")
    assert (answer.status, "caBundle" in answer.error) == (None, True)


def silent_listener() -> socket.socket:
    """A server that takes connections and never says a word, not even of TLS."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(8)
    return listener


def test_who_does_not_answer_in_time_has_not_answered(desk: Any, serve: Serve, bundle: str) -> None:
    """Neither who says nothing before TLS or after it, nor who never comes to an end."""
    site = serve()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not site.stopping.wait(0.1):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    desk.hanging.append(site)
    site.replies |= {"GET /hang": site.hang, "GET /drip": drip}
    with silent_listener() as silent:
        urls = [
            f"https://127.0.0.1:{silent.getsockname()[1]}/ok",
            *(f"https://127.0.0.1:{site.port}/{path}" for path in ("hang", "drip")),
        ]
        hooks = [
            {"name": f"hook-{place}", "url": url, "caBundle": bundle, "timeLimitSeconds": 1}
            for place, url in enumerate(urls)
        ]
        began = time.monotonic()
        run = desk.run({"webhooks": hooks})
    assert {answer.error for _, answer in run.webhooks} == {"no answer within 1 s"}
    assert time.monotonic() - began < 10


def test_an_answer_without_end_is_cut_off(
    desk: Any, serve: Serve, bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No answer fills the operator's memory, packed or not."""
    monkeypatch.setattr(probing, "MOST_BYTES", 100_000)
    site = serve()

    def flood(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not site.stopping.is_set():
            handler.wfile.write(b" " * 65536)

    def bomb(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Encoding", "gzip")
        handler.end_headers()
        handler.wfile.write(gzip.compress(b'{"ok": true}' + b" " * 50_000_000))

    site.replies |= {"GET /flood": flood, "GET /bomb": bomb}
    packed, verdict = ask(desk, bundle, f"https://127.0.0.1:{site.port}/bomb", timeLimitSeconds=10)
    assert (packed.status, verdict.passed, len(packed.text) < 100_000) == (200, False, True)  # never unpacked
    desk.hanging.append(site)
    flooded, _ = ask(desk, bundle, f"https://127.0.0.1:{site.port}/flood", timeLimitSeconds=10)
    assert flooded == Answer(None, error="answer longer than 100000 bytes")


def test_what_is_no_http_is_no_answer(desk: Any, bundle: str) -> None:
    """A closed port, a server without TLS, an address that is none."""
    plain = desk.engine.port
    with silent_listener() as closed:
        port = closed.getsockname()[1]
    for url in (
        f"https://127.0.0.1:{port}/ok",
        f"https://127.0.0.1:{plain}/health/live",
        "https://no-such-host.invalid/ok",
        "https://127.0.0.1:99999/ok",
        "https://[::1/ok",
    ):
        answer, verdict = ask(desk, bundle, url)
        assert (answer.status, bool(answer.error), verdict.passed) == (None, True, False)


METADATA = [
    "https://169.254.169.254/latest/meta-data",
    "https://[::ffff:169.254.169.254]/latest",
    "https://2852039166/latest",
    "https://0xa9fea9fe/latest",
    "https://[fe80::1]/latest",
    "https://[fd00:ec2::254]/latest",
    "https://100.100.100.200/latest",
]


@pytest.mark.parametrize("url", METADATA)
def test_metadata_services_of_clouds_are_never_asked(desk: Any, bundle: str, url: str) -> None:
    """However the address is written."""
    answer, _ = ask(desk, bundle, url)
    assert answer.status is None
    assert re.search("is never asked|not a canonical IPv4 address", answer.error)


@pytest.fixture
def rebound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads to a metadata service; no resolver of this machine knows one."""
    usual = socket.getaddrinfo

    def lead(host: Any, *args: Any, **kwargs: Any) -> Any:
        return usual("169.254.169.254" if host == "rebound.example" else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", lead)


@pytest.mark.usefixtures("rebound")
def test_a_name_that_leads_to_a_metadata_service_is_refused(desk: Any, bundle: str) -> None:
    """What counts is where it leads."""
    answer, _ = ask(desk, bundle, "https://rebound.example/latest")
    assert (answer.status, "is never asked" in answer.error) == (None, True)


def test_only_link_local_addresses_are_refused() -> None:
    """A company's webhook lives in its own network, and on loopback in tests."""
    for address in ("10.0.0.1", "127.0.0.1", "192.168.1.1", "::1", "fd00::1", "8.8.8.8"):
        refuse(address)
    with pytest.raises(RefusedError):
        refuse("fe80::1%eth0")


def test_plain_http_is_never_asked(desk: Any) -> None:
    """The schema says so, and so does the one who asks."""

    async def ask_plainly(runner: Any) -> Answer:
        found: Answer = await runner._outside.ask(  # noqa: SLF001  # the seam itself
            f"http://127.0.0.1:{desk.engine.port}/health/live", https_only=True
        )
        return found

    answer = desk.with_runner(ask_plainly)
    assert (answer.status, "only https" in answer.error) == (None, True)
    assert desk.engine.asked == []
