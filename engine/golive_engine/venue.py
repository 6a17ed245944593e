"""Binance USD-M futures through ccxt as it is; the only module that knows ccxt."""

from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Any, TypeVar

import ccxt
from ccxt.async_support.binanceusdm import binanceusdm

from golive_engine.settings import AccountSettings, VenueSettings
from golive_engine.trading import (
    ZERO,
    Execution,
    ExecutionStatus,
    Instrument,
    Intent,
    OutcomeUnknownError,
    Permit,
    Quote,
    RefusedError,
    Side,
    Snapshot,
    UnavailableError,
    WithheldError,
)
from golive_engine.transport import Attempt, guarded, open_session

QUOTE_ASSET = "USDT"
"""The account's quote currency; equity and limits are in it."""

_STATUSES = {
    "NEW": ExecutionStatus.WORKING,
    "PARTIALLY_FILLED": ExecutionStatus.WORKING,
    "FILLED": ExecutionStatus.FILLED,
    "CANCELED": ExecutionStatus.ENDED,
    "EXPIRED": ExecutionStatus.ENDED,
    "EXPIRED_IN_MATCH": ExecutionStatus.ENDED,
    "REJECTED": ExecutionStatus.ENDED,
}
_REFUSALS = (
    ccxt.InsufficientFunds,
    ccxt.InvalidOrder,
    ccxt.BadRequest,
    ccxt.AuthenticationError,
    ccxt.OperationRejected,
    ccxt.InvalidNonce,
    ccxt.RateLimitExceeded,
    ccxt.DDoSProtection,
)
_UNREADABLE = (KeyError, TypeError, ValueError, IndexError, AttributeError, InvalidOperation)
_T = TypeVar("_T")


class BinanceUsdm:
    """One account: production, or Binance's demo exchange for testnet.

    Args:
        account: Which account.
        key: API key.
        secret: API secret.
        settings: How to reach the venue.
    """

    def __init__(self, account: AccountSettings, key: str, secret: str, settings: VenueSettings) -> None:
        config: dict[str, Any] = {
            "apiKey": key,
            "secret": secret,
            "timeout": int(settings.timeout_seconds * 1000),
            "options": {
                "fetchCurrencies": False,
                "recvWindow": settings.recv_window_ms,
                "warnOnFetchOpenOrdersWithoutSymbol": False,
                "maxRetriesOnFailure": 0,
            },
        }
        if settings.rate_limit_ms is not None:
            config |= {"rateLimit": settings.rate_limit_ms, "enableRateLimit": settings.rate_limit_ms > 0}
        self._session = open_session(settings.ca_file, settings.resolve, binanceusdm().cafile)
        self._ccxt: Any = binanceusdm(config | {"session": self._session})
        self._ccxt.has["fetchCurrencies"] = False
        if account.environment == "testnet":
            self._ccxt.enable_demo_trading(True)

    async def instruments(self) -> dict[str, Instrument]:
        """Every trading perpetual that is quoted in USDT."""
        markets = await self._read(lambda: self._ccxt.load_markets(True), dict)
        infos = [market["info"] for market in markets.values() if market["swap"] and market["linear"]]
        return {info["symbol"]: _instrument(info) for info in infos if _is_traded(info)}

    async def quotes(self, symbols: frozenset[str]) -> dict[str, Quote]:
        """Best bid and ask, one request for all symbols."""
        unified = [name for name in map(self._unified, sorted(symbols)) if name is not None]
        if not unified:
            return {}
        return await self._read(lambda: self._ccxt.fetch_bids_asks(unified), _quotes)

    async def closes(self, symbol: str, count: int) -> tuple[Decimal, ...]:
        """Closes of the last finished one-minute candles; the newest candle is still moving and left out."""
        return await self._read(
            lambda: self._ccxt.fetch_ohlcv(self._unified(symbol), "1m", None, count + 1),
            _closes,
        )

    async def server_time(self) -> float:
        """The venue's clock."""
        return await self._read(self._ccxt.fetch_time, lambda milliseconds: milliseconds / 1000)

    async def snapshot(self) -> Snapshot:
        """Equity, margin and positions from one answer."""
        return await self._read(self._ccxt.fetch_balance, lambda balance: _snapshot(balance["info"]))

    async def set_leverage(self, symbol: str, leverage: int) -> Decimal:
        """Set a symbol's leverage."""
        return await self._read(
            lambda: self._ccxt.set_leverage(leverage, self._unified(symbol)),
            lambda answer: Decimal(str(answer["leverage"])),
        )

    async def send(self, intent: Intent, client_order_id: str, permit: Permit) -> Execution:
        """Send one order, once.

        Raises:
            WithheldError: The permit was refused; nothing was sent.
            RefusedError: There is no such order.
            OutcomeUnknownError: Perhaps there is.
        """
        price = None if intent.limit_price is None else format(intent.limit_price, "f")
        kind = "market" if price is None else "limit"
        parameters = {"newClientOrderId": client_order_id}
        if intent.reduce_only:
            parameters["reduceOnly"] = "true"
        with guarded(permit) as attempt:
            try:
                answer = await self._ccxt.create_order(
                    self._unified(intent.symbol),
                    kind,
                    intent.side.lower(),
                    format(intent.quantity, "f"),
                    price,
                    parameters,
                )
                return _execution(answer["info"])
            except WithheldError:
                raise
            except Exception as error:
                raise _verdict(error, attempt) from error

    async def ask(self, symbol: str, client_order_id: str) -> Execution | None:
        """What became of an order; None if the venue does not know it."""
        try:
            return await self._read(
                lambda: self._ccxt.fetch_order(
                    None, self._unified(symbol), {"origClientOrderId": client_order_id}
                ),
                lambda answer: _execution(answer["info"]),
            )
        except UnavailableError as error:
            if isinstance(error.__cause__, ccxt.OrderNotFound):
                return None
            raise

    async def open_orders(self) -> list[Execution]:
        """Every resting order."""
        return await self._read(
            self._ccxt.fetch_open_orders, lambda orders: [_execution(order["info"]) for order in orders]
        )

    async def close(self) -> None:
        """Close the session."""
        self._ccxt.timeout_on_exit = 0
        await self._ccxt.close()
        await self._session.close()

    def _unified(self, symbol: str) -> str | None:
        """The name that ccxt gives a perpetual."""
        for market in (self._ccxt.markets_by_id or {}).get(symbol, []):
            if market["swap"] and market["linear"]:
                return str(market["symbol"])
        return None

    async def _read(self, call: Callable[[], Awaitable[Any]], shape: Callable[[Any], _T]) -> _T:
        """Call ccxt and shape the answer; whatever goes wrong becomes UnavailableError."""
        try:
            return shape(await call())
        except (ccxt.BaseError, OSError, TimeoutError, *_UNREADABLE) as error:
            raise UnavailableError(f"{type(error).__name__}: {error}") from error


def _verdict(error: Exception, attempt: Attempt) -> Exception:
    """Refused only where that is certain: nothing left, or the venue itself said no with a 4xx."""
    message = f"{type(error).__name__}: {error}"
    if not attempt.sent:
        return RefusedError(f"never sent: {message}")
    said_no = isinstance(error, _REFUSALS) and not isinstance(error, ccxt.DuplicateOrderId)
    if said_no and HTTPStatus.BAD_REQUEST <= attempt.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return RefusedError(message)
    return OutcomeUnknownError(message)


def _is_traded(info: dict[str, Any]) -> bool:
    """Whether orders are taken for this contract, and in our money."""
    return bool(
        info["status"] == "TRADING"
        and info["contractType"] == "PERPETUAL"
        and info["quoteAsset"] == QUOTE_ASSET
    )


def _instrument(info: dict[str, Any]) -> Instrument:
    """One entry of exchangeInfo; market orders have a range of their own and the narrower one counts."""
    filters = {entry["filterType"]: entry for entry in info["filters"]}
    lot, market = filters["LOT_SIZE"], filters.get("MARKET_LOT_SIZE", filters["LOT_SIZE"])
    return Instrument(
        symbol=info["symbol"],
        lot_size=Decimal(lot["stepSize"]),
        tick_size=Decimal(filters["PRICE_FILTER"]["tickSize"]),
        min_quantity=max(Decimal(lot["minQty"]), Decimal(market["minQty"])),
        max_quantity=min(Decimal(lot["maxQty"]), Decimal(market["maxQty"])),
        min_notional=Decimal(filters["MIN_NOTIONAL"]["notional"]),
    )


def _closes(candles: list[Any]) -> tuple[Decimal, ...]:
    """Closes without that of the newest candle; ccxt makes next to nothing of an answer it can't read."""
    if len(candles) < 2:  # noqa: PLR2004  # the newest and one that is finished
        raise ValueError("no candles")
    return tuple(Decimal(str(candle[4])) for candle in candles[:-1])


def _quotes(tickers: dict[str, Any]) -> dict[str, Quote]:
    """Entries of bookTicker with prices on both sides; ccxt leaves out what it can't read."""
    if not tickers:
        raise ValueError("no prices")
    quotes = {}
    for ticker in tickers.values():
        info = ticker["info"]
        bid, ask = Decimal(info["bidPrice"]), Decimal(info["askPrice"])
        if bid > ZERO and ask > ZERO:
            quotes[info["symbol"]] = Quote(info["symbol"], bid, ask, int(info["time"]) / 1000)
    return quotes


def _snapshot(info: dict[str, Any]) -> Snapshot:
    """/fapi/v3/account; hedge mode has two positions per symbol, which nothing here is made for."""
    asset = next(entry for entry in info["assets"] if entry["asset"] == QUOTE_ASSET)
    positions = {}
    for entry in info["positions"]:
        amount = Decimal(entry["positionAmt"])
        if entry["positionSide"] != "BOTH":
            raise ValueError(f"{entry['symbol']} is in hedge mode; set one-way mode on the venue")
        if amount:
            positions[entry["symbol"]] = amount
    return Snapshot(Decimal(asset["marginBalance"]), Decimal(asset["initialMargin"]), positions)


def _execution(info: dict[str, Any]) -> Execution:
    """One order as /fapi/v1/order tells it."""
    return Execution(
        client_order_id=info["clientOrderId"],
        venue_order_id=str(info["orderId"]),
        symbol=info["symbol"],
        side=Side(info["side"]),
        quantity=Decimal(info["origQty"]),
        status=_STATUSES[info["status"]],
        filled_quantity=Decimal(info["executedQty"]),
        average_price=Decimal(info["avgPrice"]),
    )
