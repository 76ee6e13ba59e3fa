"""A stop that was hit, kept for as long as anything of the position is held."""

from decimal import Decimal

import pytest

from hydra.trading.hit_stops import (
    BOTS_STOP,
    SIGNALS_STOP,
    HitStop,
    UnreadableHitStops,
    hit_among,
    hit_now,
    hit_stops_of,
    readable_hit_stops,
    text_of,
)
from hydra.trading.inventory import FifoInventory, Lot
from hydra.trading.orders import Side


def held(*names: str, symbol: str = "AAPL") -> FifoInventory:
    lots = (
        Lot(
            side=Side.BUY,
            quantity=Decimal(1),
            price=Decimal(100),
            opened_at=1,
            execution_id=name,
        )
        for name in names
    )
    return FifoInventory(symbol, tuple(lots))


def hit(*names: str, reason: str = "stop_loss", bot: str = "one") -> HitStop:
    return HitStop(bot=bot, symbol="AAPL", reason=reason, lots=names)


@pytest.mark.parametrize(
    ("before", "reason", "names", "now"),
    [
        (None, None, ("a",), None),
        (None, "stop_loss", ("a",), hit("a")),
        (None, "trailing_stop", ("a", "b"), hit("a", "b", reason="trailing_stop")),
        (None, SIGNALS_STOP, ("a",), hit("a", reason=SIGNALS_STOP)),
        (None, BOTS_STOP, ("a",), hit("a", reason=BOTS_STOP)),
        *((None, each, ("a",), None) for each in ("take_profit", "time_stop", "session_end")),
        (None, "stop_loss", (), None),
        (hit("a"), None, ("a",), hit("a")),
        (hit("a", "b"), "time_stop", ("b", "c"), hit("a", "b")),
        (hit("a"), "trailing_stop", ("a",), hit("a")),
        (hit("a"), None, (), None),
        (hit("a"), None, ("b",), None),
        (hit("a"), "stop_loss", ("b",), hit("b")),
        (hit("a", bot="another"), None, ("a",), None),
    ],
)
def test_it_stays_hit_until_all_that_was_held_then_is_gone_i30(
    before: HitStop | None, reason: str | None, names: tuple[str, ...], now: HitStop | None
) -> None:
    assert hit_now(before, reason, "one", held(*names)) == now


def test_it_comes_back_from_the_record_as_it_went_there_i30_i38() -> None:
    hits = (hit("a"), hit("b", bot="two"))

    found = hit_stops_of(text_of(hits))

    assert found == hits
    assert hit_among(found, "two", held("b")) == hits[1]
    assert hit_among(found, "two", held("b", symbol="MSFT")) is None
    assert hit_stops_of("") == ()


@pytest.mark.parametrize("text", ["nonsense", "{}", '[{"bot": "one"}]', '[["a"]]'])
def test_what_cannot_be_read_is_no_guess_of_its_bot_and_none_for_the_exit_bot_i38(
    text: str,
) -> None:
    with pytest.raises(UnreadableHitStops, match="wanted a list of stops that were hit"):
        hit_stops_of(text)

    assert readable_hit_stops(text) == ()
