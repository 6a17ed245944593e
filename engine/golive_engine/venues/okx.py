"""OKX v5 perpetual swaps: production, or its demo trading as testnet."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

from ccxt.async_support.okx import okx

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
    RefusedError,
    Snapshot,
    Trade,
    UnavailableError,
    VenueName,
)
from golive_engine.venues import okx_answers as answers
from golive_engine.venues import reading
from golive_engine.venues.connection import Connection, Credentials, Environment
from golive_engine.venues.verdicts import Codes, SaidNoError

SWAPS = {"instType": "SWAP"}
"""Perpetuals."""

UNKNOWN_ORDER = frozenset({51603})
"""No such order."""

GONE = frozenset({51400, 51401, 51402, 51410}) | UNKNOWN_ORDER
"""No such order, or it was filled or cancelled before, or is being cancelled."""

CONDITIONAL_TYPES = ("conditional", "oco", "trigger", "move_order_stop")
"""Kinds of conditional orders; each has to be asked for."""

KEY_REFUSALS = frozenset(range(50100, 50126))
"""Clocks that differ, and keys or addresses that are not taken."""

WAITS = {50011: 2.0, 50040: 2.0, 50061: 2.0}
"""Too many requests, too many orders."""

BAD_REQUESTS = frozenset({50000, 50002, 50006, 50014, 50015, 50016, 50024, 50025, 50044})
"""Requests that make no sense."""

SHUT_ACCOUNTS = frozenset({50007, 50008, 50009, 50010, 50012, *range(50017, 50024), 50027, 50028})
"""Accounts that may not trade."""

REFUSALS = (
    frozenset(range(51000, 51600)) | KEY_REFUSALS | WAITS.keys() | BAD_REQUESTS | SHUT_ACCOUNTS
) - frozenset({51011, 51016, 51054, 51065, 51149})
"""What leaves no order: not the refusals of an id that is known already, or of an order that timed out."""

OUTAGES = frozenset({50001, 50004, 50005, 50013, 50026}) | KEY_REFUSALS
"""The venue's own trouble, and that it does not know us."""

CODES = Codes(read=answers.codes, refuses=REFUSALS, outages=OUTAGES, waits=WAITS)
"""What OKX's codes mean."""

SHORTEST_SILENCE_SECONDS, LONGEST_SILENCE_SECONDS = 10, 120
"""Bounds of the dead-man switch."""

MOST_ROWS = 100
"""Orders or trades in one answer."""

MOST_CANDLES = 300
"""Candles in one answer."""

MOST_CANCELS, MOST_CONDITIONAL_CANCELS = 20, 10
"""Orders that one request may cancel."""

_T = TypeVar("_T")


class Okx:
    """One account on OKX."""

    name: VenueName = "okx"

    def __init__(self, environment: Environment, credentials: Credentials, settings: VenueSettings) -> None:
        self._line = Connection(okx, credentials, settings, CODES)
        self._contracts = answers.Contracts({})
        if environment == "testnet":
            self._line.ccxt.set_sandbox_mode(True)

    async def instruments(self) -> dict[str, Instrument]:
        """Every trading perpetual that is quoted in USDT; contract sizes are learnt here."""
        self._contracts, found = await self._line.read("publicGetPublicInstruments", answers.listed, SWAPS)
        return found

    async def quotes(self, symbols: frozenset[str]) -> dict[str, Quote]:
        """Best prices, one request for all."""
        if len(symbols) == 1:
            asked = {"instId": answers.name_of(next(iter(symbols)))}
            found = await self._line.read("publicGetMarketTicker", answers.quotes, asked)
        else:
            found = await self._line.read("publicGetMarketTickers", answers.quotes, SWAPS)
        return {symbol: found[symbol] for symbol in symbols & found.keys()}

    async def closes(self, symbol: str, count: int) -> tuple[Decimal, ...]:
        """Closes of finished one-minute candles; the newest candle is still moving and left out."""

        async def page(before: int | None) -> list[reading.Candle]:
            limit = min(count + 1, MOST_CANDLES)
            asked: dict[str, Any] = {"instId": answers.name_of(symbol), "bar": "1m", "limit": limit}
            return await self._line.read(
                "publicGetMarketCandles",
                lambda answer: reading.candles(answer["data"]),
                asked if before is None else asked | {"after": before},
            )

        return reading.closes(await reading.newest_candles(page, count + 1), count)

    async def depth(self, symbol: str, percent: Decimal) -> Depth:
        """What the book holds near its middle."""
        contracts = await self._sizes()
        return await self._line.read(
            "publicGetMarketBooks",
            lambda answer: contracts.depth(symbol, answer, percent),
            {"instId": answers.name_of(symbol), "sz": reading.BOOK_LEVELS},
        )

    async def server_time(self) -> float:
        """The venue's clock."""
        return await self._line.read(
            "publicGetPublicTime", lambda answer: reading.seconds(answer["data"][0]["ts"])
        )

    async def snapshot(self) -> Snapshot:
        """Positions, then money: the venue has no one answer for both."""
        contracts = await self._sizes()
        held = await self._line.read("privateGetAccountPositions", contracts.positions, SWAPS)
        return await self._line.read(
            "privateGetAccountBalance",
            lambda answer: answers.snapshot(answer, held),
            {"ccy": reading.QUOTE_ASSET},
        )

    async def rights(self) -> KeyRights:
        """What the key may do."""
        return await self._line.read("privateGetAccountConfig", answers.rights)

    async def set_leverage(self, symbol: str, leverage: int) -> Decimal:
        """Set leverage and one-way mode where not set yet, and read them again; orders name cross margin."""
        await self._line.prepare(self._prepare)
        asked = {"instId": answers.name_of(symbol), "mgnMode": "cross"}
        set_now = await self._line.read("privateGetAccountLeverageInfo", answers.leverage, asked)
        if set_now != leverage:
            wanted = asked | {"lever": str(leverage)}
            await self._line.settle("privatePostAccountSetLeverage", wanted)
            set_now = await self._line.read("privateGetAccountLeverageInfo", answers.leverage, asked)
        return set_now

    async def _prepare(self) -> None:
        """Make sure of one-way mode."""
        if await self._line.read("privateGetAccountConfig", answers.is_hedged):
            await self._line.settle("privatePostAccountSetPositionMode", {"posMode": answers.ONE_WAY})
            if await self._line.read("privateGetAccountConfig", answers.is_hedged):
                raise UnavailableError("okx: the account is in hedge mode", is_outage=False)

    async def send(self, intent: Intent, client_order_id: str, permit: Permit) -> Execution:
        """Send one order, once; the answer tells no more than its ids."""
        if not self._contracts.knows(intent.symbol):
            raise RefusedError(f"never sent: the contract size of {intent.symbol} is not known")
        return await self._line.order(
            "privatePostTradeOrderAlgo" if intent.kind.is_conditional else "privatePostTradeOrder",
            lambda answer: answers.accepted(answer, intent),
            self._contracts.order_of(intent, client_order_id),
            client_order_id,
            permit,
        )

    async def ask(self, symbol: str, client_order_id: str, kind: OrderKind) -> Execution | None:
        """What became of an order; of a triggered conditional one, what became of the order it made."""
        contracts, name = await self._sizes(), answers.name_of(symbol)
        if not kind.is_conditional:
            asked = {"instId": name, "clOrdId": client_order_id}
            return await self._find("privateGetTradeOrder", contracts.answered, asked)
        asked = {"algoClOrdId": client_order_id}
        algo = await self._find("privateGetTradeOrderAlgo", contracts.answered_algo, asked)
        if algo is None or algo.child_id is None:
            return None if algo is None else algo.execution
        asked = {"instId": name, "ordId": algo.child_id}
        child = await self._line.read("privateGetTradeOrder", contracts.answered, asked)
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
        contracts = await self._sizes()
        begin = int(max(since, await self.server_time() - reading.HISTORY_SECONDS) * 1000)
        asked = SWAPS | {"instId": answers.name_of(symbol), "begin": str(begin)}
        rows = await self._all("privateGetTradeFillsHistory", contracts.trades, asked, "billId")
        return rows[::-1]

    async def open_orders(self) -> list[Execution]:
        """Every resting order; each kind of conditional ones is kept, and asked for, apart."""
        contracts = await self._sizes()
        found = await self._all("privateGetTradeOrdersPending", contracts.executions, SWAPS, "ordId")
        for kind in CONDITIONAL_TYPES:
            asked = SWAPS | {"ordType": kind}
            found += await self._all("privateGetTradeOrdersAlgoPending", contracts.algos, asked, "algoId")
        return found

    async def cancel(self, symbol: str, client_order_id: str, kind: OrderKind) -> None:
        """Cancel one order."""
        name = answers.name_of(symbol)
        if kind.is_conditional:
            rows = [{"instId": name, "algoClOrdId": client_order_id}]
            await self._line.settle("privatePostTradeCancelAlgos", rows, GONE)
        else:
            asked = {"instId": name, "clOrdId": client_order_id}
            await self._line.settle("privatePostTradeCancelOrder", asked, GONE)

    async def cancel_all(self, symbol: str, *, conditional: bool) -> None:
        """Cancel every order of a symbol in the book, or every conditional one: list them, then name each."""
        asked = SWAPS | {"instId": answers.name_of(symbol)}
        if not conditional:
            rows = await self._all("privateGetTradeOrdersPending", answers.names("ordId"), asked, "ordId")
            await self._cancel_rows("privatePostTradeCancelBatchOrders", rows, MOST_CANCELS)
            return
        for kind in CONDITIONAL_TYPES:
            typed = asked | {"ordType": kind}
            rows = await self._all("privateGetTradeOrdersAlgoPending", answers.names("algoId"), typed, "algoId")
            await self._cancel_rows("privatePostTradeCancelAlgos", rows, MOST_CONDITIONAL_CANCELS)

    async def _cancel_rows(self, request: str, rows: list[dict[str, str]], most: int) -> None:
        """Cancel orders by name, a few in each request."""
        for start in range(0, len(rows), most):
            await self._line.settle(request, rows[start : start + most], GONE)

    async def cancel_unless_renewed(self, seconds: int, symbols: frozenset[str]) -> None:
        """Dead-man switch of the whole account."""
        del symbols
        window = min(max(seconds, SHORTEST_SILENCE_SECONDS), LONGEST_SILENCE_SECONDS) if seconds else 0
        await self._line.settle("privatePostTradeCancelAllAfter", {"timeOut": str(window)})

    async def close(self) -> None:
        """Let go of the connection."""
        await self._line.close()

    async def _sizes(self) -> answers.Contracts:
        """The contracts, read now if nobody has yet."""
        if not self._contracts.sizes:
            await self.instruments()
        return self._contracts

    async def _all(
        self, request: str, shape: Callable[[Any], list[_T]], asked: dict[str, str], cursor_name: str
    ) -> list[_T]:
        """The rows of every page; a full one may have another behind it."""

        def read(answer: Any) -> tuple[list[_T], str]:
            rows = answer["data"]
            return shape(rows), str(rows[-1][cursor_name]) if len(rows) >= MOST_ROWS else ""

        async def page(cursor: str) -> tuple[list[_T], str]:
            paged = asked | {"limit": str(MOST_ROWS)} | ({"after": cursor} if cursor else {})
            return await self._line.read(request, read, paged)

        return await reading.every_page(page)
