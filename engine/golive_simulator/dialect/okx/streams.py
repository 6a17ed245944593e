"""Best prices over WebSocket: the ``bbo-tbt`` channel."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from golive_simulator.dialect.okx.payloads import number, size
from golive_simulator.dialect.seam import Heard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from golive_simulator.book import Level
    from golive_simulator.instruments import Instrument
    from golive_simulator.market import Market, Quote

PATH = "/ws/v5/public"
"""Where public channels are told."""

CHANNEL = "bbo-tbt"
"""The channel of best prices."""

CONNECTION = "simulator"
"""What the venue calls a connection."""


class OkxStreams:
    """OKX v5; demo trading has a host of its own here. A topic is an instrument of the one channel."""

    hosts: Mapping[str, str] = {
        "ws.okx.com": "okx-production",
        "wspap.okx.com": "okx-testnet",
    }
    tells_at_once = True
    repeat_ms: int | None = None
    ping_ms: int | None = None
    idle_ms = 30_000

    def opened(self, path: str, market: Market) -> dict[str, str] | None:
        """Nothing is told before it is asked for."""
        del market
        return {} if path == PATH else None

    def heard(self, text: str, market: Market, topics: Mapping[str, str]) -> Heard:
        """The word ping, subscriptions, or their end; each argument is answered for itself."""
        del topics
        if text == "ping":
            return Heard(("pong",))
        try:
            asked: dict[str, Any] = json.loads(text)
            verb, wanted = (
                str(asked["op"]),
                [(str(row["channel"]), str(row["instId"])) for row in asked["args"]],
            )
        except (ValueError, TypeError, KeyError):
            return Heard((_refused(60012, f"Illegal request: {text}"),))
        if verb not in {"subscribe", "unsubscribe"}:
            return Heard((_refused(60012, f"Illegal request: {text}"),))
        known = [name for channel, name in wanted if channel == CHANNEL and _is_listed(name, market)]
        answers = tuple(
            _done(verb, name) if name in known and channel == CHANNEL else _unknown(channel, name)
            for channel, name in wanted
        )
        if verb == "unsubscribe":
            return Heard(answers, unsubscribed=tuple(known))
        return Heard(answers, {name: name for name in known})

    def told(self, topic: str, quote: Quote, now_ms: int) -> str:
        """One level on each side, in contracts."""
        del now_ms
        row = {
            "asks": [_level(quote.instrument, quote.book.asks[0])],
            "bids": [_level(quote.instrument, quote.book.bids[0])],
            "ts": str(quote.time_ms),
            "seqId": quote.sequence,
        }
        return json.dumps({"arg": {"channel": CHANNEL, "instId": topic}, "data": [row]})


def _is_listed(name: str, market: Market) -> bool:
    """Whether it is one of OKX's own contracts."""
    return name in market.contracts and name not in market.instruments


def _level(instrument: Instrument, level: Level) -> list[str]:
    """Price, contracts, a field of former times, number of orders."""
    return [number(level.price), size(instrument, level.quantity), "0", "1"]


def _done(verb: str, name: str) -> str:
    """What was asked is done."""
    return json.dumps({"event": verb, "arg": {"channel": CHANNEL, "instId": name}, "connId": CONNECTION})


def _unknown(channel: str, name: str) -> str:
    """There is no such thing to hear."""
    sentence = (
        f"Wrong URL or channel:{channel},instId:{name} doesn't exist. "
        "Please use the correct URL, channel and parameters referring to API document."
    )
    return _refused(60018, sentence)


def _refused(code: int, sentence: str) -> str:
    """An error."""
    return json.dumps({"event": "error", "code": str(code), "msg": sentence, "connId": CONNECTION})
