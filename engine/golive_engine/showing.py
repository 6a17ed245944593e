"""What an account looks like from outside: its series, and its part of the report."""

import asyncio
from decimal import Decimal

from golive_api.engine_report import AccountReport
from golive_engine.account import Account
from golive_engine.journal import Journal
from golive_engine.metrics import Metrics, Use

_HUNDRED = Decimal(100)


def show(account: Account, metrics: Metrics) -> None:
    """Set every series of an account."""
    unknown = sum(len(seat.desk.unknown_symbols) for seat in account.seats)
    metrics.account(account.name, account.equity, unknown)
    metrics.use(account.name, _use(account))
    for seat in account.seats:
        metrics.breaker(account.name, seat.name, seat.venue.state)
        ages = seat.market.ages() if seat.snapshot is not None else {}
        metrics.venue(account.name, seat.name, seat.market.skew_seconds, max(ages.values(), default=None))


def _use(account: Account) -> Use:
    """How much of its limits an account uses."""
    leverages = [value for seat in account.seats for value in seat.market.leverages.values()]
    margins = [seat.snapshot.margin_used for seat in account.seats if seat.snapshot is not None]
    return Use(
        positions=len(account.positions()),
        daily_loss_percent=_loss_percent(account),
        leverage=max(leverages, default=None),
        margin_percent=_share(sum(margins, Decimal(0)) if margins else None, account.equity),
        unprotected=sum(len(seat.unprotected) for seat in account.seats),
        open_orders=sum(len(seat.desk.unsettled) for seat in account.seats),
        locked_symbols=len(account.locked or ()),
    )


def _loss_percent(account: Account) -> Decimal | None:
    """Loss since 00:00 UTC in percent of equity then."""
    if account.marks is None or account.loss_equity is None:
        return None
    return _share(account.marks.day_start - account.loss_equity, account.marks.day_start)


def _share(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    """A part in percent of a whole, None if either is not known."""
    return None if part is None or not whole else part * _HUNDRED / whole


async def report(account: Account, journal: Journal) -> AccountReport:
    """An account's part of the report."""
    filled = await asyncio.to_thread(journal.filled_orders, account.name)
    active = account.active or account.seats[0]
    return AccountReport(
        name=account.name,
        environment=account.own.environment,
        venue=active.name,
        profile=account.own.profile,
        strategies=list(account.own.strategies),
        venues=[seat.report() for seat in account.seats],
        locked_symbols=sorted(account.locked or ()),
        reconciled=account.agrees,
        equity=f"{account.loss_equity:f}" if account.loss_equity is not None else None,
        positions={symbol: f"{quantity:f}" for symbol, quantity in account.positions().items()},
        filled_orders=filled,
        unknown_orders=sum(len(seat.desk.unknown_symbols) for seat in account.seats),
    )
