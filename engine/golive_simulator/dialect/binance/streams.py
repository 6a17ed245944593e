"""Best prices over WebSocket: the ``<symbol>@bookTicker`` streams."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from golive_simulator.dialect.binance.payloads import price, quantity
from golive_simulator.dialect.seam import Heard

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from golive_simulator.market import Market, Quote

CHANNEL = "@bookTicker"
"""What a stream of best prices is called after its symbol."""

ROOTS = ("/ws", "/public/ws")
"""Paths that serve streams, old and new; streams may follow, each after a slash."""

INVALID = 2
"""The venue's code of a request that it can't read."""


class BinanceStreams:
    """Binance USD-M futures; a stream that does not exist is subscribed to like any other, and stays silent."""

    hosts: Mapping[str, str] = {
        "fstream.binance.com": "production",
        "fstream.binancefuture.com": "testnet",
    }
    tells_at_once = False
    repeat_ms: int | None = None
    ping_ms: int | None = 180_000
    idle_ms = 600_000

    def opened(self, path: str, market: Market) -> dict[str, str] | None:
        """The streams that stand in the path."""
        for root in ROOTS:
            if path == root or path.startswith(f"{root}/"):
                return _known(path.removeprefix(root).split("/"), market)
        return None

    def heard(self, text: str, market: Market, topics: Mapping[str, str]) -> Heard:
        """A subscription, its end, or a question which there are."""
        try:
            asked: dict[str, Any] = json.loads(text)
            number, method = asked["id"], asked["method"]
            streams = [str(name) for name in asked.get("params", ())]
        except (ValueError, TypeError, KeyError) as error:
            said = {"error": {"code": INVALID, "msg": f"Invalid request: {type(error).__name__}"}, "id": None}
            return Heard((json.dumps(said),))
        done = json.dumps({"result": None, "id": number})
        match method:
            case "SUBSCRIBE":
                return Heard((done,), _known(streams, market))
            case "UNSUBSCRIBE":
                return Heard((done,), unsubscribed=tuple(streams))
            case "LIST_SUBSCRIPTIONS":
                return Heard((json.dumps({"result": list(topics), "id": number}),))
            case _:
                said = {"error": {"code": INVALID, "msg": "Invalid request: unknown method"}, "id": number}
                return Heard((json.dumps(said),))

    def told(self, topic: str, quote: Quote, now_ms: int) -> str:
        """The best prices, and when the matching engine and the stream had them."""
        del topic
        instrument, bid, ask = quote.instrument, quote.book.bids[0], quote.book.asks[0]
        return json.dumps(
            {
                "e": "bookTicker",
                "u": quote.sequence,
                "s": instrument.symbol,
                "b": price(instrument, bid.price),
                "B": quantity(instrument, bid.quantity),
                "a": price(instrument, ask.price),
                "A": quantity(instrument, ask.quantity),
                "T": quote.time_ms,
                "E": now_ms,
            }
        )


def _known(streams: Iterable[str], market: Market) -> dict[str, str]:
    """Contract of each stream of best prices."""
    symbols = {stream: stream.removesuffix(CHANNEL).upper() for stream in streams if CHANNEL in stream}
    return {stream: symbol for stream, symbol in symbols.items() if symbol in market.instruments}
