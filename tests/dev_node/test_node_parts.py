import asyncio
import os
from pathlib import Path

import pytest

from golive_dev.control_plane import ControlPlane
from golive_dev.linux import descendants
from golive_dev.node.__main__ import parse_settings
from golive_dev.node.addresses import PodAddresses
from golive_dev.node.api_client import ApiClient, ApiError, Server
from golive_dev.node.log_files import read_log, tail_offset
from golive_dev.node.process import start_process
from golive_dev.node.sandbox import Command
from golive_dev.node.server import caller_of
from golive_dev.node.tokens import PodTokens


async def text_of(path: Path, tail_lines: int | None = None) -> bytes:
    """All that is read of a log."""
    return b"".join([block async for block in read_log(path, tail_lines=tail_lines)])


@pytest.mark.parametrize(
    ("content", "lines", "expected"),
    [
        (b"a\nb\nc\n", 2, b"b\nc\n"),
        (b"a\nb\nc", 2, b"b\nc"),
        (b"a\nb\n", 5, b"a\nb\n"),
        (b"a\n", 0, b""),
        (b"a", 0, b""),
        (b"", 3, b""),
        (b"x" * 200_000 + b"\ny\n", 1, b"y\n"),
        (b"first\n" + b"x" * 200_000 + b"\ny\n", 2, b"x" * 200_000 + b"\ny\n"),
    ],
    ids=["ended", "without an end", "fewer than asked", "none", "none of one", "empty", "long before", "long"],
)
async def test_the_last_lines_of_a_log_are_found(
    tmp_path: Path, content: bytes, lines: int, expected: bytes
) -> None:
    """Without reading all of it, whatever the length of a line."""
    log = tmp_path / "log"
    log.write_bytes(content)
    assert await text_of(log, lines) == expected
    assert tail_offset(log, lines) == len(content) - len(expected)


async def test_a_followed_log_is_read_to_its_very_end(tmp_path: Path) -> None:
    """What came between the last look and the end is not lost."""
    log = tmp_path / "log"
    log.write_bytes(b"1")
    looks = iter([False, False, True])

    def over() -> bool:
        with log.open("ab") as file:
            file.write(b"2")
        return next(looks)

    assert b"".join([block async for block in read_log(log, over=over)]) == b"1222"


async def test_a_start_that_is_cancelled_leaves_no_process(tmp_path: Path) -> None:
    """Though the launcher was on its way to the command already."""
    command = Command(["sleep", "1000"], {"PATH": os.defpath}, tmp_path)
    before = set(descendants(os.getpid()))
    starting = asyncio.create_task(start_process(command, "rewrite", output=2))
    while not set(descendants(os.getpid())) - before:  # noqa: ASYNC110  # the kernel sets no event
        await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert set(descendants(os.getpid())) <= before


def test_nodes_of_one_machine_have_different_addresses() -> None:
    """And a pod's address is its own until long after it is given back."""
    one, other = PodAddresses.claim(), PodAddresses.claim()
    try:
        taken = [one.take() for _ in range(5)]
        one.release(taken[0])
        assert one.take() not in taken
        assert not one.network.overlaps(other.network)
        everything = {one.take() for _ in range(one.network.num_addresses - 9)}
        assert one.take() == taken[0]
        assert len(everything) == one.network.num_addresses - 9
    finally:
        one.close()
        other.close()


def test_a_caller_is_who_its_certificate_names() -> None:
    """Common name and organizations, nobody without them."""
    subject = ((("organizationName", "a"),), (("organizationName", "b"),), (("commonName", "me"),))
    assert caller_of({"subject": subject}) == ("me", ("a", "b"))
    assert caller_of({}) == ("", ())


def test_every_setting_is_an_option(tmp_path: Path) -> None:
    """Paths and numbers read as such."""
    words = ["--kubeconfig=k", "--name=n", f"--directory={tmp_path}", "--serving-cert=c", "--serving-key=k"]
    settings = parse_settings([*words, "--client-ca=a", "--sync-seconds=0.5"])
    assert (settings.directory, settings.sync_seconds) == (tmp_path, 0.5)
    assert settings.filesystem == "auto"


async def test_a_token_is_renewed_at_four_fifths_of_its_life(control_plane: ControlPlane) -> None:
    """Not before; and while the server is away the old one serves on."""
    seconds = 0.0
    client = ApiClient(Server.from_kubeconfig(control_plane.admin))
    tokens = PodTokens(client, clock=lambda: seconds)
    path = "/api/v1/namespaces/default/pods"
    container = {"name": "main", "image": "none"}
    spec = {"containers": [container], "schedulerName": "none"}
    pod = await client.create(path, {"metadata": {"generateName": "token-"}, "spec": spec})
    try:
        first = await tokens.token(pod, ("", 600))
        seconds = 479.0
        assert await tokens.token(pod, ("", 600)) == first
        seconds = 481.0
        second = await tokens.token(pod, ("", 600))
        assert second != first
    finally:
        await client.delete(f"{path}/{pod['metadata']['name']}", {"gracePeriodSeconds": 0})
    seconds = 2000.0
    assert await tokens.token(pod, ("", 600)) == second  # the pod is gone, so there is no new one
    with pytest.raises(ApiError):
        await tokens.token(pod, ("other", 600))
    await client.close()
