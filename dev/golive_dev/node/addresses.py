"""Loopback addresses for pods, so that each can listen on the same port."""

import ipaddress
import random
import socket
from typing import Self

POD_RANGE = ipaddress.IPv4Network("127.64.0.0/10")
"""Where pods' addresses come from; Linux answers on all of 127.0.0.0/8 without being told."""

PREFIX_LENGTH = 20
"""Size of one node's share: 4,094 pods."""

CLAIM_PORT = 10250
"""Port listened on at a share's first address for as long as the share is in use; the kubelet's."""


class PodAddresses:
    """One node's share of the range, claimed against other nodes of this machine."""

    def __init__(self, network: ipaddress.IPv4Network, claim: socket.socket) -> None:
        self.network = network
        self._claim = claim
        self._next_offset = 2
        self._released: list[str] = []

    @classmethod
    def claim(cls) -> Self:
        """Take a share that no other node holds.

        Raises:
            OSError: A hundred shares tried, none free.
        """
        shares = 2 ** (PREFIX_LENGTH - POD_RANGE.prefixlen)
        for index in random.sample(range(shares), 100):
            start = int(POD_RANGE.network_address) + index * 2 ** (32 - PREFIX_LENGTH)
            network = ipaddress.IPv4Network((start, PREFIX_LENGTH))
            if claim := _listen(str(network[1])):
                return cls(network, claim)
        raise OSError(f"no free share of {POD_RANGE}")

    def take(self) -> str:
        """An address nobody has; released ones come last, as a late packet may still be for their old pod."""
        if self._next_offset < self.network.num_addresses - 1:
            self._next_offset += 1
            return str(self.network[self._next_offset - 1])
        return self._released.pop(0)

    def release(self, address: str) -> None:
        """Give an address back."""
        self._released.append(address)

    def close(self) -> None:
        """Give the share back."""
        self._claim.close()


def _listen(address: str) -> socket.socket | None:
    """A socket listening at the claim port, or None where another has it."""
    listener = socket.socket()
    try:
        listener.bind((address, CLAIM_PORT))
        listener.listen()
    except OSError:
        listener.close()
        return None
    return listener
