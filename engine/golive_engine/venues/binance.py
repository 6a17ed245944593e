"""Binance USD-M futures: production, or its demo exchange as testnet."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

from ccxt.async_support.binanceusdm import binanceusdm

from golive_engine.settings import VenueSettings
from golive_engine.trading import (
    Depth,
    Execution,
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
from golive_engine.venues import binance_answers as answers
from golive_engine.venues import reading
from golive_engine.venues.connection import Connection, Credentials, Environment
from golive_engine.venues.verdicts import Codes, SaidNoError

UNKNOWN_ORDER = frozenset({-2011, -2013})
"""No such order, or none that could still be cancelled."""

UNCHANGED = frozenset({-4046, -4059})
"""Margin mode or position mode is as asked already."""

OUTCOME_UNKNOWN = frozenset({-1000, -1001, -1004, -1006, -1007, -1008, -4116})
"""Codes that do not say what became of the order: the venue's own trouble, and a client id that it has."""

OUTAGES = frozenset({-1000, -1001, -1002, -1004, -1006, -1007, -1008, -1021, -1022, -2008, -2014, -2015})
"""Codes of the venue's own trouble, of clocks that differ, and of keys that it does not take."""

WAITS = {-1003: 60.0, -1015: 10.0}
"""Too many requests in a minute, too many orders."""

TRADES_SPAN_SECONDS = 7 * 86_400.0
"""Longest time that one request for trades may span."""

MOST_TRADES = 1000
"""Trades in one answer."""

_T = TypeVar("_T")


class _Refusals:
    """Every code but those that leave the outcome open: here a 4xx with a code says that there is no order."""

    def __contains__(self, code: object) -> bool:
        return code not in OUTCOME_UNKNOWN


CODES = Codes(read=answers.codes, refuses=_Refusals(), outages=OUTAGES, waits=WAITS)
"""What Binance's codes mean."""


class Binance:
    """One account on Binance."""

    name: VenueName = "binanceusdm"

    def __init__(self, environment: Environment, credentials: Credentials, settings: VenueSettings) -> None:
        self._line = Connection(binanceusdm, credentials, settings, CODES)
        self._is_demo = environment == "testnet"
        if self._is_demo:
            self._line.ccxt.enable_demo_trading(True)

    async def instruments(self) -> dict[str, Instrument]:
        """Every trading perpetual that is quoted in USDT."""
        return await self._line.read("fapiPublicGetExchangeInfo", answers.instruments)

    async def quotes(self, symbols: frozenset[str]) -> dict[str, Quote]:
        """Best prices, one request for all."""
        one = {"symbol": next(iter(symbols))} if len(symbols) == 1 else {}
        found = await self._line.read("fapiPublicGetTickerBookTicker", answers.quotes, one)
        return {symbol: found[symbol] for symbol in symbols & found.keys()}

    async def closes(self, symbol: str, count: int) -> tuple[Decimal, ...]:
        """Closes of finished one-minute candles; the newest candle is still moving and left out."""
        asked = {"symbol": symbol, "interval": "1m", "limit": count + 1}
        candles = await self._line.read("fapiPublicGetKlines", reading.candles, asked)
        return reading.closes(candles[::-1], count)

    async def depth(self, symbol: str, percent: Decimal) -> Depth:
        """What the book holds near its middle."""
        return await self._line.read(
            "fapiPublicGetDepth",
            lambda book: reading.depth(symbol, book["bids"], book["asks"], book["T"], percent),
            {"symbol": symbol, "limit": reading.BOOK_LEVELS},
        )

    async def server_time(self) -> float:
        """The venue's clock."""
        return await self._line.read("fapiPublicGetTime", lambda answer: reading.seconds(answer["serverTime"]))

    async def snapshot(self) -> Snapshot:
        """Equity, margin and positions from one answer."""
        return await self._line.read("fapiPrivateV3GetAccount", answers.snapshot)

    async def rights(self) -> KeyRights:
        """What the key may do; the demo exchange knows only whether the account may trade."""
        if self._is_demo:
            return await self._line.read("fapiPrivateGetAccountConfig", answers.rights_of_account)
        return await self._line.read("sapiGetAccountApiRestrictions", answers.rights)

    async def set_leverage(self, symbol: str, leverage: int) -> Decimal:
        """Set leverage, cross margin and one-way mode, each where it is not set yet, and read them again."""
        await self._line.prepare(self._prepare)
        settings, wanted = await self._settings_of(symbol), answers.SymbolSettings(answers.CROSSED, leverage)
        if settings.margin_mode != wanted.margin_mode:
            asked = {"symbol": symbol, "marginType": answers.CROSSED}
            await self._line.settle("fapiPrivatePostMarginType", asked, UNCHANGED)
        if settings.leverage != wanted.leverage:
            asked = {"symbol": symbol, "leverage": str(leverage)}
            await self._line.settle("fapiPrivatePostLeverage", asked)
        if settings != wanted:
            settings = await self._settings_of(symbol)
        if settings.margin_mode != wanted.margin_mode:
            raise UnavailableError(f"binanceusdm: {symbol} is not in cross margin mode", is_outage=False)
        return Decimal(settings.leverage)

    async def _settings_of(self, symbol: str) -> answers.SymbolSettings:
        """Margin mode and leverage of a symbol."""
        return await self._line.read(
            "fapiPrivateGetSymbolConfig",
            lambda rows: answers.symbol_settings(rows, symbol),
            {"symbol": symbol},
        )

    async def _prepare(self) -> None:
        """Make sure of one-way mode."""
        if await self._line.read("fapiPrivateGetAccountConfig", answers.is_hedged):
            one_way = {"dualSidePosition": "false"}
            await self._line.settle("fapiPrivatePostPositionSideDual", one_way, UNCHANGED)
            if await self._line.read("fapiPrivateGetAccountConfig", answers.is_hedged):
                raise UnavailableError("binanceusdm: the account is in hedge mode", is_outage=False)

    async def send(self, intent: Intent, client_order_id: str, permit: Permit) -> Execution:
        """Send one order, once; conditional ones go to the algo service."""
        is_conditional = intent.kind.is_conditional
        return await self._line.order(
            "fapiPrivatePostAlgoOrder" if is_conditional else "fapiPrivatePostOrder",
            answers.algo_execution if is_conditional else answers.execution,
            answers.order_of(intent, client_order_id),
            client_order_id,
            permit,
        )

    async def ask(self, symbol: str, client_order_id: str, kind: OrderKind) -> Execution | None:
        """What became of an order; of a triggered conditional one, what became of the order it made."""
        if not kind.is_conditional:
            return await self._find(
                "fapiPrivateGetOrder",
                answers.execution,
                {"symbol": symbol, "origClientOrderId": client_order_id},
            )
        asked = {"clientAlgoId": client_order_id}
        algo = await self._find("fapiPrivateGetAlgoOrder", answers.algo_with_child, asked)
        if algo is None or algo.child_id is None:
            return None if algo is None else algo.execution
        child = await self._line.read(
            "fapiPrivateGetOrder", answers.execution, {"symbol": symbol, "orderId": algo.child_id}
        )
        return reading.grown_up(algo.execution, child)

    async def _find(self, request: str, shape: Callable[[Any], _T], asked: dict[str, str]) -> _T | None:
        """One order, None if the venue does not know it."""
        try:
            return await self._line.read(request, shape, asked)
        except SaidNoError as error:
            if UNKNOWN_ORDER.issuperset(error.codes):
                return None
            raise

    async def trades(self, symbol: str, since: float) -> list[Trade]:
        """The account's fills since a moment, oldest first."""
        found: dict[str, Trade] = {}
        for start, end in reading.windows(since, await self.server_time(), TRADES_SPAN_SECONDS):

            async def page(cursor: str, start: int = start, end: int | None = end) -> tuple[list[Trade], str]:
                asked = {"symbol": symbol, "startTime": cursor or start, "limit": MOST_TRADES}
                rows = await self._line.read(
                    "fapiPrivateGetUserTrades",
                    answers.trades,
                    asked if end is None else asked | {"endTime": end},
                )
                return rows, str(int(rows[-1].time * 1000)) if len(rows) == MOST_TRADES else ""

            found |= {trade.trade_id: trade for trade in await reading.every_page(page)}
        return list(found.values())

    async def open_orders(self) -> list[Execution]:
        """Every resting order; conditional ones are kept, and asked for, apart."""
        booked = await self._line.read("fapiPrivateGetOpenOrders", answers.executions)
        return booked + await self._line.read("fapiPrivateGetOpenAlgoOrders", answers.algo_executions)

    async def cancel(self, symbol: str, client_order_id: str, kind: OrderKind) -> None:
        """Cancel one order."""
        if kind.is_conditional:
            asked = {"clientAlgoId": client_order_id}
            await self._line.settle("fapiPrivateDeleteAlgoOrder", asked, UNKNOWN_ORDER)
        else:
            asked = {"symbol": symbol, "origClientOrderId": client_order_id}
            await self._line.settle("fapiPrivateDeleteOrder", asked, UNKNOWN_ORDER)

    async def cancel_all(self, symbol: str, *, conditional: bool) -> None:
        """Cancel every order of a symbol in the book, or every conditional one."""
        request = "fapiPrivateDeleteAlgoOpenOrders" if conditional else "fapiPrivateDeleteAllOpenOrders"
        await self._line.settle(request, {"symbol": symbol}, UNKNOWN_ORDER)

    async def cancel_unless_renewed(self, seconds: int, symbols: frozenset[str]) -> None:
        """Dead-man switch of each symbol."""
        for symbol in sorted(symbols):
            asked = {"symbol": symbol, "countdownTime": seconds * 1000}
            await self._line.settle("fapiPrivatePostCountdownCancelAll", asked)

    async def close(self) -> None:
        """Let go of the connection."""
        await self._line.close()
