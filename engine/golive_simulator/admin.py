"""The admin API: what a test may see and do behind the venue's back. Plain HTTP on a port of its own."""

from __future__ import annotations

import hmac
from dataclasses import asdict
from decimal import Decimal  # noqa: TC003 - pydantic reads the annotations
from typing import TYPE_CHECKING, Any

from aiohttp import web
from pydantic import Field, ValidationError

from golive_simulator import admin_accounts, state
from golive_simulator.admin_questions import VENUE, Question, UnknownError, said
from golive_simulator.candles import POINTS_PER_CANDLE
from golive_simulator.faults import Fault
from golive_simulator.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from golive_simulator.accounts import Account
    from golive_simulator.exchange import Exchange
    from golive_simulator.orders import Order
    from golive_simulator.venue import Venue

TOKEN = web.AppKey("token", str)
"""The bearer token asked for, empty for none."""

HIDDEN = (
    *("secret", "passphrase", "open_order_ids", "open_algo_ids", "unarmed_order_ids"),
    *("orders_by_client_id", "algos_by_client_id"),
)
"""What the state shows of no account: secrets, and what it shows in other words."""

HIGHEST_PRICE = 1_000_000_000
"""A bound on prices, far above any contract."""


class PriceJump(Question):
    """A price to jump to."""

    symbol: str
    """Contract."""
    price: Decimal = Field(gt=0, le=HIGHEST_PRICE)
    """New last price."""
    mark: Decimal | None = Field(default=None, gt=0, le=HIGHEST_PRICE)
    """Mark price, where it is not to follow."""


class Steps(Question):
    """How far to move."""

    candles: int = Field(default=1, ge=0, le=100_000)
    """Whole candles."""
    points: int = Field(default=0, ge=0, le=400_000)
    """Path points, four to a candle."""


class Outage(Question):
    """A restart of the venue."""

    down_ms: int = Field(default=0, ge=0, le=600_000)
    """How long it resets every connection."""


def application(venue: Venue, token: str = "") -> web.Application:
    """The admin API over a venue; with a token, only for those who bear it."""
    app = web.Application(middlewares=[_guarded])
    app[VENUE], app[TOKEN] = venue, token
    app.add_routes(
        [
            web.get("/admin/state", show_state),
            web.get("/admin/requests", show_requests),
            web.post("/admin/price", jump),
            web.post("/admin/step", step),
            web.post("/admin/pause", pause),
            web.post("/admin/resume", resume),
            web.get("/admin/faults", list_faults),
            web.post("/admin/faults", add_fault),
            web.delete("/admin/faults", clear_faults),
            web.post("/admin/restart", restart),
            *(web.post(path, handler) for path, handler in admin_accounts.ROUTES.items()),
        ]
    )
    return app


@web.middleware
async def _guarded(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Ask for the token, and turn a body that makes no sense into a 400 that says why."""
    expected = f"Bearer {request.app[TOKEN]}"
    given = request.headers.get("Authorization", "")
    if request.app[TOKEN] and not hmac.compare_digest(given.encode(), expected.encode()):
        return web.json_response({"error": "wrong or missing bearer token"}, status=401)
    try:
        return await handler(request)
    except UnknownError as error:
        return said({"error": str(error)}, status=404)
    except Refused as refusal:
        return said({"error": str(refusal)}, status=422)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        return web.json_response({"error": problems}, status=400)


async def show_state(request: web.Request) -> web.Response:
    """Every account with its orders, fills, positions and money, or that of ``?api_key=``; prices; counts."""
    venue, wanted = request.app[VENUE], request.query.get("api_key")
    return said(
        {
            "is_paused": venue.is_paused,
            "simulated_seconds": venue.market.simulated_seconds,
            "prices": {symbol: venue.market.quote(symbol).last for symbol in venue.market.instruments},
            "environments": {
                name: {
                    "accounts": {
                        key: _account(exchange, row)
                        for key, row in exchange.accounts.items()
                        if wanted in {None, key}
                    },
                }
                for name, exchange in venue.exchanges.items()
            },
            "requests": len(venue.requests),
        }
    )


def _account(exchange: Exchange, account: Account) -> dict[str, Any]:
    """One account as the state shows it: everything but its secret."""
    equity = exchange.equity(account)
    shown = asdict(account)
    for name in HIDDEN:
        del shown[name]
    return shown | {
        "positions": {symbol: asdict(row) for symbol, row in account.positions.items() if row.is_open},
        "orders": [_order(order) for order in account.orders.values()],
        "algos": [asdict(order) for order in account.algos.values()],
        "unrealized": equity.unrealized,
        "available": equity.available,
        "counts": {
            "orders": len(account.orders),
            "open_orders": len(account.open_order_ids),
            "algos": len(account.algos),
            "open_algos": len(account.open_algo_ids),
            "fills": len(account.fills),
        },
    }


def _order(order: Order) -> dict[str, Any]:
    """One order as the state shows it: without what only matching needs."""
    shown = asdict(order)
    del shown["seen_sequence"], shown["fill_places"]
    return shown


async def show_requests(request: web.Request) -> web.Response:
    """The log of requests, oldest first; ``?new_orders=true`` keeps only new orders."""
    only_orders = request.query.get("new_orders") == "true"
    rows = request.app[VENUE].requests
    return said([asdict(row) for row in rows if row.is_new_order or not only_orders])


async def jump(request: web.Request) -> web.Response:
    """Let a price jump; what it crosses fills, triggers or is liquidated."""
    venue, wanted = request.app[VENUE], PriceJump.model_validate_json(await request.text())
    if wanted.symbol not in venue.market.instruments:
        raise UnknownError(f"no contract {wanted.symbol}")
    now_ms = venue.clock.now_ms()
    venue.market.set_price(wanted.symbol, wanted.price, wanted.mark, now_ms)
    venue.settle(now_ms)
    quote = venue.market.quote(wanted.symbol)
    return said({"symbol": wanted.symbol, "last": quote.last, "mark": quote.mark})


async def step(request: web.Request) -> web.Response:
    """Move all prices on by candles or single path points."""
    venue, wanted = request.app[VENUE], Steps.model_validate_json(await request.text() or "{}")
    venue.pass_time(wanted.points or wanted.candles * POINTS_PER_CANDLE)
    return said({"simulated_seconds": venue.market.simulated_seconds})


async def pause(request: web.Request) -> web.Response:
    """Stop prices where they are."""
    request.app[VENUE].is_paused = True
    return said({"is_paused": True})


async def resume(request: web.Request) -> web.Response:
    """Let prices move again."""
    request.app[VENUE].is_paused = False
    return said({"is_paused": False})


async def list_faults(request: web.Request) -> web.Response:
    """The faults in force and how many requests each has met."""
    book = request.app[VENUE].faults
    return said([row.model_dump(mode="json") | {"met": book.met.get(row.fault_id, 0)} for row in book.faults])


async def add_fault(request: web.Request) -> web.Response:
    """Put a fault in force."""
    venue, wanted = request.app[VENUE], Fault.model_validate_json(await request.text())
    if wanted.environment is not None and wanted.environment not in venue.exchanges:
        raise UnknownError(f"no environment {wanted.environment}")
    if wanted.symbol is not None and wanted.symbol not in venue.market.contracts:
        raise UnknownError(f"no contract {wanted.symbol}")
    added = venue.add_fault(wanted)
    return said(added.model_dump(mode="json"), status=201)


async def clear_faults(request: web.Request) -> web.Response:
    """Take all faults out of force, or the one of ``?id=``."""
    wanted = request.query.get("id")
    if wanted is not None and not wanted.isdecimal():
        return said({"error": "id is not a number"}, status=400)
    removed = request.app[VENUE].clear_faults(int(wanted) if wanted else None)
    return said([row.model_dump(mode="json") for row in removed])


async def restart(request: web.Request) -> web.Response:
    """Forget everything but what a venue keeps on disk, and be unreachable for a while."""
    venue, wanted = request.app[VENUE], Outage.model_validate_json(await request.text() or "{}")
    state.restore(venue, state.dump(venue))
    venue.down_until_ms = venue.clock.now_ms() + wanted.down_ms
    return said({"down_until_ms": venue.down_until_ms})
