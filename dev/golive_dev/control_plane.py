"""etcd, kube-apiserver, kube-controller-manager and kube-scheduler, ready within seconds."""

import datetime as dt
import http.client
import json
import os
import ssl
import subprocess
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from golive_dev import components
from golive_dev.binaries import find_binaries, find_binary
from golive_dev.children import GRACE_SECONDS, Child, Children
from golive_dev.components import Ports
from golive_dev.identities import Identities
from golive_dev.layout import ADMINS, write_layout
from golive_dev.pki import Authority
from golive_dev.ports import free_ports
from golive_dev.progress import Progress
from golive_dev.waiting import eventually

READY_SECONDS = 30.0
"""How long a start may take before it counts as failed; usual are three to four seconds."""

PORT_ATTEMPTS = 5
"""How often a start is tried anew because another process took one of its ports."""

STOP_SECONDS = 3.0
"""How long a server may take to end after SIGTERM; its data is thrown away in any case."""


class StartError(RuntimeError):
    """A server did not come up; the message ends with its last lines of output."""


class PortLostError(StartError):
    """Another process took a port between choosing and listening."""


class ControlPlane:
    """A control plane in a temporary folder, gone without a trace after `stop` or with this process.

    Args:
        scheduler: Also start kube-scheduler.
        controller_manager: Also start kube-controller-manager.
        static_policies: Folder of validating admission policies that the API server reads from disk.
        emulated_version: Earlier version, as 1.34, as which the API server behaves.
        fsync: Let etcd wait for the disk, as a real one does; only durability tests want that.
        progress: Where to tell what is being built, if something has to be.
    """

    directory: Path
    """The temporary folder."""
    url: str
    """Address of the API server."""
    authority: Authority
    """Signs further certificates, a node's serving certificate for one."""
    ca_file: Path
    """The authority's certificate."""

    def __init__(
        self,
        *,
        scheduler: bool = True,
        controller_manager: bool = True,
        static_policies: Path | None = None,
        emulated_version: str = "",
        fsync: bool = False,
        progress: Progress | None = None,
    ) -> None:
        self._names = ["etcd", "kube-apiserver"]
        self._names += ["kube-controller-manager"] if controller_manager else []
        self._names += ["kube-scheduler"] if scheduler else []
        self._static_policies = static_policies
        self._emulated_version = emulated_version
        self._fsync = fsync
        self._progress = progress
        self._children: Children | None = None

    def start(self) -> None:
        """Start the servers and return when they are ready for any request.

        Raises:
            StartError: A server ended or did not get ready.
            BuildError: A binary is missing and could not be built.
        """
        self._binaries = find_binaries([*self._names, "kubectl"], progress=self._progress)
        for _ in range(PORT_ATTEMPTS - 1):
            try:
                return self._start_once()
            except PortLostError:
                continue
        return self._start_once()

    def _start_once(self) -> None:
        """Start all servers on freshly chosen ports; leave nothing behind on failure."""
        self._children = Children()
        try:
            self._prepare(self._children.folder)
            for name in self._names:
                self.start_component(name)
                if name == "kube-apiserver":
                    self.wait_ready()
            if "kube-controller-manager" in self._names:
                self._await("/api/v1/namespaces/default/serviceaccounts/default")
        except BaseException:
            self.stop()
            raise

    def _prepare(self, folder: Path) -> None:
        """Choose ports, make identities and write what the servers read at their start."""
        self.directory = folder
        self._ports = Ports(*free_ports(5))
        self.url = f"https://127.0.0.1:{self._ports.apiserver}"
        self.authority = Authority(folder / "pki", now=dt.datetime.now(dt.UTC))
        self.ca_file = self.authority.certificate_file
        self._identities = Identities(self.authority, self.url, folder / "identities")
        self._layout = write_layout(folder, self.authority, self._static_policies)
        self._context = ssl.create_default_context(cafile=str(self.ca_file))
        self._context.load_cert_chain(*self._layout.kubelet_client)

    def stop(self) -> None:
        """Stop every process that was started here, its descendants too, and remove the folder."""
        if self._children is not None:
            self._children.close()
            self._children = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _arguments(self, name: str) -> list[str]:
        """Return the arguments of one server."""
        match name:
            case "etcd":
                return components.etcd(self._layout, self._ports, fsync=self._fsync)
            case "kube-apiserver":
                emulated = self._emulated_version
                return components.apiserver(self._layout, self._ports, emulated_version=emulated)
            case "kube-controller-manager":
                identity = self.kubeconfig(f"system:{name}")
                return components.controller_manager(self._layout, self._ports, identity)
            case _:
                return components.scheduler(self._layout, self._ports, self.kubeconfig(f"system:{name}"))

    def start_component(self, name: str) -> Child:
        """Start a server by its program's name, on the port it had if it ran before."""
        return self.spawn(name, [self.binary(name), *self._arguments(name)], grace_seconds=STOP_SECONDS)

    def stop_component(self, name: str) -> None:
        """Stop one server; it can be started again."""
        self._running.by_name[name].stop()

    def restart_apiserver(self) -> None:
        """Stop the API server, start it again on the same port, and return when it is ready."""
        self.stop_component("kube-apiserver")
        self.start_component("kube-apiserver")
        self.wait_ready()

    def compact(self) -> None:
        """Have etcd forget all that was before now: who watches from further back is told 410."""
        etcd = f"http://127.0.0.1:{self._ports.etcd}/v3/kv"
        everything = {"key": "AA==", "range_end": "AA==", "limit": 1, "keys_only": True}
        revision = _ask(f"{etcd}/range", everything)["header"]["revision"]
        _ask(f"{etcd}/compaction", {"revision": revision, "physical": True})

    def wait_ready(self) -> None:
        """Return when the API server says that it is ready.

        Raises:
            PortLostError: A server ended because its port was taken.
            StartError: A server ended for another reason, or it takes too long.
        """
        self._await("/readyz")

    def _await(self, path: str) -> None:
        """Return when a GET of `path` succeeds; raise when a server has ended or time is up."""
        try:
            eventually(lambda: self._dead() or self._answers(path), READY_SECONDS)
        except TimeoutError as error:
            raise StartError(f"no answer to {path} in {READY_SECONDS} s\n{self._tails()}") from error
        if dead := self._dead():
            kind = PortLostError if "address already in use" in dead.log.read_text() else StartError
            raise kind(f"{dead.name} ended with {dead.returncode}:\n{dead.tail()}")

    def _dead(self) -> Child | None:
        """Return a server that has ended, if any."""
        started = (self._running.by_name.get(name) for name in self._names)
        return next((child for child in started if child and child.returncode is not None), None)

    def _answers(self, path: str) -> bool:
        """Tell whether a GET of `path` returns 200."""
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self._ports.apiserver, timeout=2, context=self._context
        )
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.HTTPStatus.OK
        finally:
            connection.close()

    def _tails(self) -> str:
        """Return the last lines of every server's output."""
        return "\n".join(f"== {child.name}\n{child.tail()}" for child in self._running.by_name.values())

    @property
    def _running(self) -> Children:
        """The children of a control plane that is up."""
        if self._children is None:
            raise RuntimeError("the control plane is not running")
        return self._children

    @property
    def processes(self) -> Mapping[str, int]:
        """Process id by name, of servers and of whatever else was spawned and still runs."""
        children = self._running.by_name
        return {name: child.pid for name, child in children.items() if child.returncode is None}

    def spawn(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        log: Path | None = None,
        grace_seconds: float = GRACE_SECONDS,
    ) -> Child:
        """Start another process that ends with this control plane; see `Children.spawn`."""
        return self._running.spawn(name, argv, env=env, cwd=cwd, log=log, grace_seconds=grace_seconds)

    @property
    def admin(self) -> Path:
        """Kubeconfig of the user `admin`, who may do everything."""
        return self.kubeconfig("admin", [ADMINS])

    def kubeconfig(self, user: str, groups: Sequence[str] = ()) -> Path:
        """Return the kubeconfig of a client-certificate identity; RBAC says what it may do."""
        return self._identities.kubeconfig(user, groups)

    def binary(self, name: str) -> Path:
        """Return the path of a program: one of the servers, kubectl or helm."""
        if name not in self._binaries:
            self._binaries[name] = find_binary(name, progress=self._progress)
        return self._binaries[name]

    def environment(self, kubeconfig: Path | None = None) -> dict[str, str]:
        """Return an environment for client programs; all that they cache stays in the folder."""
        return os.environ | {
            "KUBECONFIG": str(kubeconfig or self.admin),
            "KUBERC": "off",
            "KUBECACHEDIR": str(self.directory / "kubectl-cache"),
            "HELM_CACHE_HOME": str(self.directory / "helm" / "cache"),
            "HELM_CONFIG_HOME": str(self.directory / "helm" / "config"),
            "HELM_DATA_HOME": str(self.directory / "helm" / "data"),
        }

    def kubectl(
        self,
        *args: str | Path,
        user: str = "admin",
        groups: Sequence[str] = (),
        stdin: str | None = None,
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl as a user and return its output as text.

        Raises:
            subprocess.CalledProcessError: It failed and `check` is set; a note holds what it said.
        """
        return self.run("kubectl", *args, user=user, groups=groups, stdin=stdin, check=check)

    def run(
        self,
        program: str,
        *args: str | Path,
        user: str = "admin",
        groups: Sequence[str] = (),
        stdin: str | None = None,
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl or helm as a user; `admin` is in the administrators' group by itself."""
        kubeconfig = self.admin if user == "admin" else self.kubeconfig(user, groups)
        done = subprocess.run(  # noqa: S603 - programs found or built here
            [self.binary(program), *args],
            env=self.environment(kubeconfig),
            input=stdin or "",
            text=True,
            capture_output=True,
            check=False,
        )
        if check and done.returncode != 0:
            error = subprocess.CalledProcessError(done.returncode, done.args, done.stdout, done.stderr)
            error.add_note(done.stderr.strip())
            raise error
        return done


def _ask(url: str, question: object) -> Any:
    """Answer of etcd's JSON gateway."""
    with urllib.request.urlopen(url, json.dumps(question).encode(), timeout=10) as answer:  # noqa: S310  # loopback
        return json.load(answer)
