"""When repeated orders lock a symbol."""

from golive_engine.order_rate import repeated
from golive_engine.trading import Side

MOST = 3
BUYS = [("BTCUSDT", Side.BUY, time) for time in (100.0, 101.0, 102.0)]


def test_a_symbol_is_due_when_one_more_order_would_be_too_many() -> None:
    """As many as allowed may be sent, and no more."""
    assert repeated(BUYS[:2], {}, MOST) == frozenset()
    assert repeated(BUYS, {}, MOST) == {"BTCUSDT"}


def test_only_orders_on_the_same_symbol_and_side_repeat_each_other() -> None:
    """Turning around and another symbol are no repetition."""
    others = [("BTCUSDT", Side.SELL, 103.0), ("ETHUSDT", Side.BUY, 104.0)]
    assert repeated([*BUYS[:2], *others], {}, MOST) == frozenset()


def test_what_was_sent_before_a_person_re_armed_the_symbol_does_not_count() -> None:
    """It does for every other symbol, and what is sent afterwards counts again."""
    assert repeated(BUYS, {"BTCUSDT": 100.0}, MOST) == frozenset()
    assert repeated(BUYS, {"ETHUSDT": 200.0}, MOST) == {"BTCUSDT"}
    assert repeated([*BUYS, ("BTCUSDT", Side.BUY, 103.0)], {"BTCUSDT": 100.0}, MOST) == {"BTCUSDT"}
