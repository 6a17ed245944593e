"""Kubeconfigs, credentials, and servers that don't answer: one line on stderr, exit 1."""

import json
import os
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubectl_golive.kubeconfig import read_access

EXEC_PLUGIN = """#!/bin/sh
cat <<END
{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "TOKEN"}}
END
"""


def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """Run the plugin in an environment that names no kubeconfig of its own."""
    clean = {key: value for key, value in os.environ.items() if key != "KUBECONFIG"}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "kubectl_golive", *arguments],
        env=clean | {"HOME": "/nonexistent"} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def write(path: Path, **changes: Any) -> str:
    """Write a kubeconfig with one context, `here`."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "plane", "user": "me", "namespace": "trading"}}],
        "clusters": [{"name": "plane", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "me", "user": {"token": "t"}}],
    }
    path.write_text(yaml.safe_dump(document | changes))
    return str(path)


def test_without_a_kubeconfig_the_way_to_give_one_is_told() -> None:
    """No traceback, no guess."""
    assert run("status") == (1, "", "error: no kubeconfig: set KUBECONFIG or give --kubeconfig\n")


BAD = {
    "no such file": ("{folder}/none", [], "no kubeconfig at {folder}/none"),
    "not YAML": ("{folder}/bad", [], "kubeconfig {folder}/bad can't be read: "),
    "not a kubeconfig": ("{folder}/list", [], "kubeconfig {folder}/list is not a kubeconfig"),
    "no such context": ("{folder}/good", ["--context", "there"], "the kubeconfig has no context 'there'"),
    "data that is no base64": ("{folder}/base64", [], "the kubeconfig is malformed: "),
    "a port that is none": ("{folder}/port", [], "the kubeconfig is malformed: "),
    "a dead server": ("{folder}/good", [], "https://127.0.0.1:1 can't be reached: Connection refused"),
    "certificates that are none": ("{folder}/pem", [], "the kubeconfig's certificates can't be used: "),
    "a key that is not there": (
        "{folder}/key",
        [],
        "{folder}/no.key, named in the kubeconfig, can't be read: ",
    ),
}


@pytest.mark.parametrize(("path", "options", "message"), BAD.values(), ids=BAD)
def test_a_bad_kubeconfig_is_one_clear_line(
    tmp_path: Path, path: str, options: list[str], message: str
) -> None:
    """It names the file or the entry that is wrong."""
    (tmp_path / "bad").write_text("a: [")
    (tmp_path / "list").write_text("[]")
    write(tmp_path / "good")
    server = {"server": "https://127.0.0.1:1", "certificate-authority-data": "bm9uZQ=="}
    write(tmp_path / "pem", clusters=[{"name": "plane", "cluster": server}])
    write(tmp_path / "port", clusters=[{"name": "plane", "cluster": {"server": "https://here:port"}}])
    write(tmp_path / "base64", users=[{"name": "me", "user": {"client-key-data": "x"}}])
    write(tmp_path / "key", users=[{"name": "me", "user": {"client-key": "no.key"}}])

    code, out, err = run("status", "--kubeconfig", path.format(folder=tmp_path), *options)

    assert (code, out) == (1, "")
    assert err.startswith(f"error: {message.format(folder=tmp_path)}")
    assert len(err.splitlines()) == 1


def test_a_server_that_never_answers_is_given_up_within_seconds(tmp_path: Path) -> None:
    """It takes the connection and then says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = {"server": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        config = write(tmp_path / "config", clusters=[{"name": "plane", "cluster": server}])
        code, _, err = run("status", "--kubeconfig", config)

    assert (code, err) == (1, f"error: {server['server']} can't be reached: no answer within 5 s\n")


class Portal(BaseHTTPRequestHandler):
    """Says yes to everything, as the log-in page of a network does."""

    def answer(self) -> None:
        """Answer 200."""
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"okay")

    do_GET = do_PATCH = do_DELETE = answer  # noqa: N815  http.server's names

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def test_a_yes_from_something_else_than_an_api_server_closes_nothing(tmp_path: Path) -> None:
    """A proxy's or a portal's 200 must not look like a shut gate."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Portal) as portal:
        threading.Thread(target=portal.serve_forever, daemon=True).start()
        server = {"server": f"http://127.0.0.1:{portal.server_port}"}
        config = write(tmp_path / "config", clusters=[{"name": "plane", "cluster": server}])
        code, out, err = run("close", "perps", "--kubeconfig", config)
        portal.shutdown()

    assert (code, out) == (1, "")
    assert err.startswith("error: NOT CLOSED in namespace trading: ")
    assert "what answers (200) is no Kubernetes API server" in err


def test_closing_at_a_server_that_is_away_fails_loudly_in_the_end(tmp_path: Path) -> None:
    """It tries for ten seconds, then says that nothing was closed."""
    code, out, err = run("close", "perps", "--kubeconfig", write(tmp_path / "config"))

    assert (code, out) == (1, "")
    assert err.startswith("error: NOT CLOSED in namespace trading: ")
    assert "Connection refused" in err


@pytest.mark.parametrize("kind", ["token", "token file", "exec plugin"])
def test_credentials_of_each_kind_sign_in(bench: Any, tmp_path: Path, kind: str) -> None:
    """Certificates are what every other test here uses."""
    plane = bench.plane
    plane.kubectl("create", "serviceaccount", f"robot-{kind.replace(' ', '-')}", "-n", "default")
    token = plane.kubectl("create", "token", f"robot-{kind.replace(' ', '-')}", "-n", "default").stdout.strip()
    (tmp_path / "token").write_text(f"{token}\n")
    plugin = tmp_path / "plugin.sh"
    plugin.write_text(EXEC_PLUGIN.replace("TOKEN", token))
    plugin.chmod(0o700)
    program = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": str(plugin),
        "interactiveMode": "Never",
    }
    user = {"token": {"token": token}, "token file": {"tokenFile": "token"}, "exec plugin": {"exec": program}}
    server = {"server": plane.url, "certificate-authority": str(plane.ca_file)}
    config = write(
        tmp_path / "config",
        clusters=[{"name": "plane", "cluster": server}],
        users=[{"name": "me", "user": user[kind]}],
    )

    code, _, err = run("status", "perps", "--kubeconfig", config)

    assert code == 1
    assert f'User "system:serviceaccount:default:robot-{kind.replace(" ", "-")}" cannot get resource' in err


def test_a_credential_plugin_that_fails_is_named(tmp_path: Path) -> None:
    """No anonymous request is sent instead."""
    program = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "/bin/false",
        "interactiveMode": "Never",
    }
    config = write(tmp_path / "config", users=[{"name": "me", "user": {"exec": program}}])

    code, _, err = run("status", "--kubeconfig", config)

    assert code == 1
    assert "credential plugin" in err


def test_several_kubeconfigs_are_one_and_the_first_word_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As kubectl merges them; a missing file of the list is skipped."""
    first = tmp_path / "first"
    first.write_text(yaml.safe_dump({"users": [{"name": "me", "user": {"token": "mine"}}]}))
    second = write(tmp_path / "second")
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join([str(tmp_path / "none"), str(first), second]))

    access = read_access(None, None)

    assert (access.token, access.namespace, access.server) == ("mine", "trading", "https://127.0.0.1:1")


def test_wrong_usage_is_an_error_and_not_a_closed_gate() -> None:
    """Exit code 2 is kept for gates that are closed."""
    for arguments in (
        ["nonsense"],
        ["close"],
        ["status", "a", "-A"],
        ["status", "-o", "wide"],
        ["stop"],
        ["attest", "a"],
    ):
        code, _, err = run(*arguments)
        assert code == 1
        assert "Error: " in err


def test_a_credential_that_is_not_accepted_is_said(bench: Any, tmp_path: Path) -> None:
    """401 in words."""
    server = {"server": bench.plane.url, "certificate-authority": str(bench.plane.ca_file)}
    config = write(tmp_path / "config", clusters=[{"name": "plane", "cluster": server}])

    assert (
        run("status", "--kubeconfig", config)[2] == "error: the API server does not accept these credentials\n"
    )


@pytest.mark.parametrize(("name", "accepted"), [("other.name", False), ("kubernetes", True)])
def test_the_servers_certificate_has_to_be_for_the_expected_name(
    bench: Any, tmp_path: Path, name: str, *, accepted: bool
) -> None:
    """tls-server-name says for which one."""
    server = {"server": bench.plane.url, "certificate-authority": str(bench.plane.ca_file)}
    config = write(
        tmp_path / "config", clusters=[{"name": "plane", "cluster": server | {"tls-server-name": name}}]
    )

    error = run("status", "--kubeconfig", config)[2]

    assert ("does not accept these credentials" in error) == accepted
    assert ("Hostname mismatch" in error) != accepted


def test_a_server_without_the_kinds_is_told_from_a_missing_object(bench: Any, tmp_path: Path) -> None:
    """The API server answers an unknown path with a page instead of an object."""
    document = yaml.safe_load(bench.plane.admin.read_text())
    document["clusters"][0]["cluster"]["server"] += "/elsewhere"
    (tmp_path / "config").write_text(yaml.safe_dump(document))

    code, _, err = run("status", "perps", "--kubeconfig", str(tmp_path / "config"))

    assert (code, err) == (1, "error: the API server does not know GoLive: is the golive chart installed?\n")


START = """
import json, sys
from kubectl_golive.__main__ import _obey
code = _obey(sys.argv[1:])
print(json.dumps([code, sorted(set(sys.modules) & {"pydantic", "rich", "yaml", "kubernetes", "http.client"})]))
"""

LIGHT = {
    "the overview imports nothing": (["--help"], []),
    "help on close imports no models, tables or client library": (["close", "--help"], ["http.client", "yaml"]),
    "help on stop imports no models, tables or client library": (["stop", "--help"], ["http.client", "yaml"]),
    "help on revoke imports no models, tables or client library": (
        ["revoke", "--help"],
        ["http.client", "yaml"],
    ),
    "help on approve imports no models, tables or client library": (
        ["approve", "--help"],
        ["http.client", "yaml"],
    ),
    "help on status imports no models, tables or client library": (
        ["status", "--help"],
        ["http.client", "yaml"],
    ),
}


@pytest.mark.parametrize(("arguments", "modules"), LIGHT.values(), ids=LIGHT)
def test_starting_is_cheap(arguments: list[str], modules: list[str]) -> None:
    """What is not imported costs nothing: the brake must leave within a tenth of a second."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", START, *arguments], capture_output=True, text=True, check=True
    )

    assert json.loads(done.stdout.splitlines()[-1]) == [0, modules]
