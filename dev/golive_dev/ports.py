"""Free ports on the loopback interface."""

import random
import socket
from contextlib import ExitStack
from pathlib import Path

LOWEST_PORT = 20_000
"""Below this, well-known servers of the machine may come up at any time."""

HIGHEST_PORT = 32_700
"""Linux hands out 32768 and above to outgoing connections.

A port from that range can be lost to a client while a server restarts, even to a client that is
trying to reach that very server.
"""

_RANGE_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def _highest_port() -> int:
    """Return the highest port that the kernel does not give to outgoing connections."""
    try:
        first_ephemeral = int(_RANGE_FILE.read_text().split()[0])
    except OSError:
        return HIGHEST_PORT
    return first_ephemeral - 1 if first_ephemeral > LOWEST_PORT + 1_000 else HIGHEST_PORT


def free_ports(count: int) -> list[int]:
    """Return `count` different TCP ports on which nobody listens at this moment.

    Another process may take one before its owner does: who starts a server retries with new ports.

    Raises:
        OSError: Hardly any port is free.
    """
    ports: list[int] = []
    with ExitStack() as held:
        for candidate in random.sample(range(LOWEST_PORT, _highest_port()), 50 + 5 * count):
            listener = held.enter_context(socket.socket())
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", candidate))
            except OSError:
                continue
            ports.append(candidate)
            if len(ports) == count:
                return ports
    raise OSError(f"found only {len(ports)} free ports of {count}")
