"""Bybit v5 linear perpetuals of a unified account: production, its testnet, or its demo exchange as testnet."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

from ccxt.async_support.bybit import bybit

from golive_engine.settings import VenueSettings
from golive_engine.trading import (
    Depth,
    Execution,
    ExecutionStatus,
    Instrument,
    Intent,
    KeyRights,
    OrderKind,
    Permit,
    Quote,
    Snapshot,
    Trade,
    UnavailableError,
    VenueName,
)
from golive_engine.venues import bybit_answers as answers
from golive_engine.venues import reading
from golive_engine.venues.connection import Connection, Credentials, Environment
from golive_engine.venues.verdicts import Codes, SaidNoError

LINEAR = {"category": "linear"}
"""Perpetuals that settle in what they are quoted in."""

ACCOUNT = LINEAR | {"settleCoin": reading.QUOTE_ASSET}
"""All of an account's contracts in our money."""

GONE = frozenset({110001, 110008, 110010})
"""No such order, or it was filled or cancelled before."""

UNCHANGED_LEVERAGE = frozenset({110043})
"""The leverage is as asked already."""

UNCHANGED_MODE = frozenset({110025})
"""The position mode is as asked already."""

KEY_REFUSALS = frozenset({10002, 10003, 10004, 10005, 10007, 10008, 10009, 10010, 33004})
"""Clocks that differ, and keys or addresses that are not taken."""

WAITS = {10006: 1.0, 10018: 600.0, 10429: 1.0}
"""Too many requests of an account, of an address, of all."""

REFUSALS = (
    (frozenset({10001, 10017, 10020, 10024, 10027, 10028, 10029, 100028}) | KEY_REFUSALS | WAITS.keys())
    | frozenset(range(110001, 110100))
) - frozenset({110030, 110072, 110079})
"""Bad requests, refused keys, rate limits, and trading refusals but those of an id that is known already."""

OUTAGES = frozenset({10000, 10016, 10019, 3400214}) | KEY_REFUSALS
"""The venue's own trouble, and that it does not know us."""

CODES = Codes(read=answers.codes, refuses=REFUSALS, outages=OUTAGES, waits=WAITS)
"""What Bybit's codes mean."""

SHORTEST_SILENCE_SECONDS, LONGEST_SILENCE_SECONDS = 3, 300
"""Bounds of the dead-man switch, which can't be switched off."""

TRADES_SPAN_SECONDS = 7 * 86_400.0
"""Longest time that one request for trades may span."""

BOOKS_AT_ONCE = 8
"""Order books that are asked for side by side."""

MOST_CANDLES = 1000
"""Candles in one answer."""

_T = TypeVar("_T")


class Bybit:
    """One account on Bybit."""

    name: VenueName = "bybit"

    def __init__(self, environment: Environment, credentials: Credentials, settings: VenueSettings) -> None:
        self._line = Connection(bybit, credentials, settings, CODES)
        self._is_demo = environment == "testnet" and settings.bybit_testnet == "demo"
        if environment == "testnet":
            switch = self._line.ccxt.enable_demo_trading if self._is_demo else self._line.ccxt.set_sandbox_mode
            switch(True)

    async def instruments(self) -> dict[str, Instrument]:
        """Every trading perpetual that is quoted in USDT."""
        found = await self._all("publicGetV5MarketInstrumentsInfo", answers.instruments, LINEAR, 1000)
        return {instrument.symbol: instrument for instrument in found}

    async def quotes(self, symbols: frozenset[str]) -> dict[str, Quote]:
        """Best prices. One request for each symbol: the list of all tickers does not tell how old they are."""
        free = asyncio.Semaphore(BOOKS_AT_ONCE)

        async def one(symbol: str) -> dict[str, Quote]:
            async with free:
                try:
                    return await self._line.read(
                        "publicGetV5MarketOrderbook",
                        answers.quote_of_book,
                        LINEAR | {"symbol": symbol, "limit": 1},
                    )
                except SaidNoError as error:
                    if error.is_outage:
                        raise
                    return {}

        found: dict[str, Quote] = {}
        for answer in await asyncio.gather(*map(one, sorted(symbols)), return_exceptions=True):
            if isinstance(answer, BaseException):
                raise answer
            found |= answer
        return found

    async def closes(self, symbol: str, count: int) -> tuple[Decimal, ...]:
        """Closes of finished one-minute candles; the newest candle is still moving and left out."""

        async def page(before: int | None) -> list[reading.Candle]:
            asked = LINEAR | {"symbol": symbol, "interval": "1", "limit": min(count + 1, MOST_CANDLES)}
            if before is not None:
                asked |= {"start": before - MOST_CANDLES * reading.CANDLE_MS, "end": before - 1}
            return await self._line.read(
                "publicGetV5MarketKline",
                lambda answer: reading.candles(answer["result"]["list"]),
                asked,
            )

        return reading.closes(await reading.newest_candles(page, count + 1), count)

    async def depth(self, symbol: str, percent: Decimal) -> Depth:
        """What the book holds near its middle."""
        return await self._line.read(
            "publicGetV5MarketOrderbook",
            lambda answer: answers.depth(answer, percent),
            LINEAR | {"symbol": symbol, "limit": reading.BOOK_LEVELS},
        )

    async def server_time(self) -> float:
        """The venue's clock."""
        return await self._line.read(
            "publicGetV5MarketTime", lambda answer: int(answer["result"]["timeNano"]) / 1e9
        )

    async def snapshot(self) -> Snapshot:
        """Positions, then money: the venue has no one answer for both."""
        positions = await self._all("privateGetV5PositionList", answers.positions, ACCOUNT, 200)
        return await self._line.read(
            "privateGetV5AccountWalletBalance",
            lambda answer: answers.snapshot(answer, positions),
            {"accountType": "UNIFIED"},
        )

    async def rights(self) -> KeyRights:
        """What the key may do; the demo exchange does not tell."""
        if self._is_demo:
            return KeyRights(trade=None, withdraw=None)
        return await self._line.read("privateGetV5UserQueryApi", answers.rights)

    async def set_leverage(self, symbol: str, leverage: int) -> Decimal:
        """Set leverage, cross margin and one-way mode, each where it is not set yet, and read them again."""
        await self._line.prepare(self._prepare)
        settings, wanted = await self._settings_of(symbol), answers.SymbolSettings(False, Decimal(leverage))
        if settings.is_hedged:
            switch = LINEAR | {"symbol": symbol, "mode": 0}
            await self._line.settle("privatePostV5PositionSwitchMode", switch, UNCHANGED_MODE)
        if settings.leverage != wanted.leverage:
            both = {"buyLeverage": str(leverage), "sellLeverage": str(leverage)}
            asked = LINEAR | {"symbol": symbol} | both
            await self._line.settle("privatePostV5PositionSetLeverage", asked, UNCHANGED_LEVERAGE)
        if settings != wanted:
            settings = await self._settings_of(symbol)
        if settings.is_hedged:
            raise UnavailableError(f"bybit: {symbol} is in hedge mode", is_outage=False)
        return settings.leverage

    async def _settings_of(self, symbol: str) -> answers.SymbolSettings:
        """Position mode and leverage of a symbol."""
        return await self._line.read(
            "privateGetV5PositionList", answers.symbol_settings, LINEAR | {"symbol": symbol}
        )

    async def _prepare(self) -> None:
        """Make sure of cross margin, a setting of the whole account."""
        if not await self._line.read("privateGetV5AccountInfo", answers.is_crossed):
            await self._line.settle("privatePostV5AccountSetMarginMode", {"setMarginMode": answers.CROSSED})
            if not await self._line.read("privateGetV5AccountInfo", answers.is_crossed):
                raise UnavailableError("bybit: the account is not in cross margin mode", is_outage=False)

    async def send(self, intent: Intent, client_order_id: str, permit: Permit) -> Execution:
        """Send one order, once; the answer tells no more than its ids."""
        return await self._line.order(
            "privatePostV5OrderCreate",
            lambda answer: answers.accepted(answer, intent),
            answers.order_of(intent, client_order_id),
            client_order_id,
            permit,
        )

    async def ask(self, symbol: str, client_order_id: str, kind: OrderKind) -> Execution | None:
        """What became of an order; a conditional one keeps its ids when it triggers."""
        del kind
        asked = LINEAR | {"symbol": symbol, "orderLinkId": client_order_id}
        for request in ("privateGetV5OrderRealtime", "privateGetV5OrderHistory"):
            found = await self._line.read(request, answers.executions_of, asked)
            for execution in found:
                if execution.client_order_id == client_order_id:
                    return execution
        return None

    async def trades(self, symbol: str, since: float) -> list[Trade]:
        """The account's fills since a moment, oldest first."""
        found: dict[str, Trade] = {}
        for start, end in reading.windows(since, await self.server_time(), TRADES_SPAN_SECONDS):
            asked = LINEAR | {"symbol": symbol, "startTime": start}
            bounded = asked if end is None else asked | {"endTime": end}
            rows = await self._all("privateGetV5ExecutionList", answers.trades, bounded, 100)
            found |= {trade.trade_id: trade for trade in rows}
        return sorted(found.values(), key=lambda trade: trade.time)

    async def open_orders(self) -> list[Execution]:
        """Every resting order, conditional ones among them."""
        found = await self._all("privateGetV5OrderRealtime", answers.executions, ACCOUNT, 50)
        return [execution for execution in found if execution.status is ExecutionStatus.WORKING]

    async def cancel(self, symbol: str, client_order_id: str, kind: OrderKind) -> None:
        """Cancel one order."""
        del kind
        asked = LINEAR | {"symbol": symbol, "orderLinkId": client_order_id}
        await self._line.settle("privatePostV5OrderCancel", asked, GONE)

    async def cancel_all(self, symbol: str, *, conditional: bool) -> None:
        """Cancel every order of a symbol in the book, or every conditional one."""
        asked = LINEAR | {"symbol": symbol, "orderFilter": "StopOrder" if conditional else "Order"}
        await self._line.settle("privatePostV5OrderCancelAll", asked, GONE)

    async def cancel_unless_renewed(self, seconds: int, symbols: frozenset[str]) -> None:
        """Dead-man switch of the whole account; switching it off only sets it to its longest silence."""
        del symbols
        window = min(max(seconds, SHORTEST_SILENCE_SECONDS), LONGEST_SILENCE_SECONDS)
        asked = {"timeWindow": window if seconds else LONGEST_SILENCE_SECONDS}
        await self._line.settle("privatePostV5OrderDisconnectedCancelAll", asked)

    async def close(self) -> None:
        """Let go of the connection."""
        await self._line.close()

    async def _all(
        self, request: str, shape: Callable[[Any], list[_T]], asked: dict[str, Any], most: int
    ) -> list[_T]:
        """The rows of every page; a full one may have another behind it."""

        async def page(cursor: str) -> tuple[list[_T], str]:
            def read(answer: Any) -> tuple[list[_T], str]:
                rows = answer["result"]["list"]
                more = str(answer["result"]["nextPageCursor"]) if len(rows) >= most else ""
                return shape(rows), more

            paged = asked | {"limit": most} | ({"cursor": cursor} if cursor else {})
            return await self._line.read(request, read, paged)

        return await reading.every_page(page)
