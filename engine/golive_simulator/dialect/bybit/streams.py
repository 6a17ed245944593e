"""Best prices over WebSocket: the ``orderbook.1.<symbol>`` topics."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from golive_simulator.dialect.bybit.payloads import price, quantity
from golive_simulator.dialect.seam import Heard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from golive_simulator.market import Market, Quote

PATH = "/v5/public/linear"
"""Where linear contracts are told."""

CHANNEL = "orderbook.1."
"""What a topic of best prices begins with."""


class BybitStreams:
    """Bybit v5; demo trading has no streams of its own and listens to production's."""

    hosts: Mapping[str, str] = {
        "stream.bybit.com": "bybit-production",
        "stream-testnet.bybit.com": "bybit-testnet",
    }
    tells_at_once = True
    repeat_ms: int | None = 3_000
    ping_ms: int | None = None
    idle_ms = 600_000

    def opened(self, path: str, market: Market) -> dict[str, str] | None:
        """Nothing is told before it is asked for."""
        del market
        return {} if path == PATH else None

    def heard(self, text: str, market: Market, topics: Mapping[str, str]) -> Heard:
        """A ping, a subscription, or its end; one unknown topic spoils the whole request."""
        del topics
        try:
            asked: dict[str, Any] = json.loads(text)
            number, verb = asked.get("req_id", ""), asked["op"]
            wanted = [str(topic) for topic in asked.get("args", ())]
        except (ValueError, TypeError, KeyError, AttributeError):
            return Heard((_said("", "", "error:invalid request", is_done=False),))
        symbols = {topic: topic.removeprefix(CHANNEL) for topic in wanted if topic.startswith(CHANNEL)}
        unknown = [topic for topic in wanted if symbols.get(topic) not in market.instruments]
        match verb:
            case "ping":
                return Heard((_said("ping", number, "pong"),))
            case "subscribe" if unknown:
                problem = f"error:handler not found,topic:{unknown[0]}"
                return Heard((_said("subscribe", number, problem, is_done=False),))
            case "subscribe":
                return Heard((_said("subscribe", number, "subscribe"),), symbols)
            case "unsubscribe":
                return Heard((_said("unsubscribe", number, ""),), unsubscribed=tuple(wanted))
            case _:
                return Heard((_said("", number, "error:invalid op", is_done=False),))

    def told(self, topic: str, quote: Quote, now_ms: int) -> str:
        """A book of one level on each side, which always comes whole."""
        instrument, bid, ask = quote.instrument, quote.book.bids[0], quote.book.asks[0]
        data = {
            "s": instrument.symbol,
            "b": [[price(instrument, bid.price), quantity(instrument, bid.quantity)]],
            "a": [[price(instrument, ask.price), quantity(instrument, ask.quantity)]],
            "u": quote.sequence,
            "seq": quote.sequence,
        }
        # the system's time is now, the matching engine's that of the prices
        return json.dumps(
            {"topic": topic, "type": "snapshot", "ts": now_ms, "data": data, "cts": quote.time_ms}
        )


def _said(verb: str, number: str, message: str, *, is_done: bool = True) -> str:
    """An answer to a request."""
    said = {"success": is_done, "ret_msg": message, "conn_id": "simulator", "req_id": number, "op": verb}
    return json.dumps(said)
