"""What the broker shows is read whatever it is; nothing that it says ends a run."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.quotes import Quote
from hydra.venues.alpaca.canary.desk import LOOK_AGAIN_S, ROOM_AGAIN_S, SHARES, Desk
from hydra.venues.alpaca.canary.lines import Verdict
from hydra.venues.alpaca.canary.reading import QUOTE_AGE_MAX, Clock, Market, Reading, fair_bid
from hydra.venues.alpaca.order_matrix import AssetKind
from hydra.venues.alpaca.outcomes import NotSent, Ok, Outcome, Refused, Unknown
from hydra.venues.alpaca.times import rfc3339

NOW = 1_790_000_000_000_000_000
CLOCK = Clock(NOW, True)
SEEN = rfc3339(NOW)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


class Shown(Desk):
    """What a broker answers to each path, and nothing else is."""

    def __init__(self, answers: Callable[[str, Mapping[str, str]], Outcome[bytes]]) -> None:
        self._answers = answers

    def ask(self, path: str, query: dict[str, str]) -> Outcome[bytes]:
        return self._answers(path, query)


def reading_of(answers: Callable[[str, Mapping[str, str]], Outcome[bytes]]) -> Reading:
    desk = Shown(answers)
    return Reading(desk, desk)


def read_all(reading: Reading) -> None:
    reading.account()
    reading.clock()
    reading.calendar(NOW)
    reading.positions()
    reading.orders()
    reading.fills()
    for kind in (AssetKind.EQUITY, AssetKind.CRYPTO):
        reading.market(kind, ("HYDR",), frozenset(), CLOCK)


@given(body=st.binary() | anything.map(lambda value: json.dumps(value).encode()))
def test_whatever_it_answers_each_look_leaves_a_line_and_no_price_is_made_up(body: bytes) -> None:
    reading = reading_of(lambda _path, _query: Ok(body))

    read_all(reading)

    assert len({line.check for line in reading.lines}) >= 8


@pytest.mark.parametrize("body", [b"[" * 100_000, b"1" * 10_000, b'{"cash":' + b"9" * 9_999 + b"}"])
def test_what_is_absurd_ends_no_run_either(body: bytes) -> None:
    read_all(reading_of(lambda _path, _query: Ok(body)))


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (Unknown(cause="503"), Verdict.UNKNOWN),
        (NotSent(cause="no way there"), Verdict.UNKNOWN),
        (Refused(status=403, code=None, text="forbidden."), Verdict.UNKNOWN),
        (Ok(b"<html>a page of somebody between</html>"), Verdict.UNKNOWN),
        (Refused(status=404, code=None, text="endpoint not found."), Verdict.DRIFTED),
        (Refused(status=422, code=40010001, text="invalid date"), Verdict.DRIFTED),
    ],
)
def test_who_does_not_answer_makes_no_drift_and_what_is_gone_does(
    answer: Outcome[bytes], verdict: Verdict
) -> None:
    reading = reading_of(lambda _path, _query: answer)

    reading.calendar(NOW)

    assert [line.verdict for line in reading.lines] == [verdict]


def asset(symbol: str, **changes: Any) -> dict[str, Any]:
    fields = {
        "id": "1",
        "class": "us_equity",
        "symbol": symbol,
        "status": "active",
        "tradable": True,
        "fractionable": True,
    }
    return fields | changes


def broker(
    assets: Mapping[str, Any], bids: Mapping[str, float]
) -> Callable[[str, Mapping[str, str]], Outcome[bytes]]:
    def answers(path: str, query: Mapping[str, str]) -> Outcome[bytes]:
        if path.startswith("/v2/assets/"):
            found = assets.get(path.rpartition("/")[2])
            if found is None:
                return Refused(status=404, code=40410000, text="not found")
            return Ok(json.dumps(found).encode())
        bid = bids.get(query["symbols"])
        row = {"t": SEEN, "bp": bid, "bs": 1, "ap": bid and bid + 0.01, "as": 1}
        return Ok(json.dumps({"quotes": {query["symbols"]: row} if bid else {}}).encode())

    return answers


def test_the_first_is_taken_that_can_be_probed_with_and_each_check_is_said_once() -> None:
    assets = {
        "HALF": asset("HALF", tradable=False),
        "WHOLE": asset("WHOLE", fractionable=False),
        "MUTE": asset("MUTE"),
        "PENNY": asset("PENNY"),
        "FINE": asset("FINE"),
        "HELD": asset("HELD"),
    }
    reading = reading_of(broker(assets, {"PENNY": 0.5, "FINE": 41.27}))
    names = ("NONE", "HELD", "HALF", "WHOLE", "MUTE", "PENNY", "FINE")

    market = reading.market(AssetKind.EQUITY, names, frozenset({"HELD"}), CLOCK)
    none = reading.market(AssetKind.EQUITY, names[:-1], frozenset({"HELD"}), CLOCK)

    assert isinstance(market, Market) and (market.symbol, market.bid) == ("FINE", Decimal("41.27"))
    assert [line.check for line in reading.lines] == 2 * ["share asset", "share quote"]
    assert none == (
        "none of those named: NONE: not listed; HELD: held, or with orders in it; HALF: not"
        " tradable now; WHOLE: not in fractions; MUTE: no price; PENNY: costs less than 5 USD"
    )


def test_of_all_candidates_the_worst_is_said() -> None:
    assets = {"ODD": asset("ODD", status="melted"), "FINE": asset("FINE")}
    reading = reading_of(broker(assets, {"FINE": 41.27}))

    market = reading.market(AssetKind.EQUITY, ("ODD", "FINE"), frozenset(), CLOCK)

    assert isinstance(market, Market)
    assert {line.check: line.verdict for line in reading.lines} == {
        "share asset": Verdict.DRIFTED,
        "share quote": Verdict.PASS,
    }


def quote(**changes: Any) -> Quote:
    fields: dict[str, Any] = {"symbol": "HYDR", "at": NOW, "bid": 41.27, "ask": 41.28}
    return Quote(**{**fields, "bid_size": 1.0, "ask_size": 1.0, **changes})


@pytest.mark.parametrize(
    "odd",
    [
        {"at": NOW - QUOTE_AGE_MAX - 1},
        {"at": NOW + QUOTE_AGE_MAX + 1},
        {"bid": 0.0},
        {"bid": -1.0},
        {"bid": float("nan")},
        {"ask": float("inf")},
        {"ask": 41.26},
        {"ask": 50.0},
    ],
)
def test_a_price_that_is_old_or_odd_is_none(odd: dict[str, Any]) -> None:
    assert fair_bid(quote(), NOW) == Decimal("41.27")
    assert isinstance(fair_bid(quote(**odd), NOW), str)


def test_where_the_minutes_requests_are_used_up_it_is_waited_for_the_next() -> None:
    kept_back = NotSent(cause="used up", by_us=True)
    answers: list[Outcome[bytes]] = [kept_back, kept_back, Ok(b"{}")]
    paused: list[float] = []

    class Budgeted:
        def call(self, *_: object, **__: object) -> Outcome[bytes]:
            return answers.pop(0)

    desk = Desk(Budgeted(), lambda: None, deadline=float("inf"), pause=paused.append)  # type: ignore[arg-type]

    assert desk.ask("/v2/clock", {}) == Ok(b"{}")
    assert paused == [ROOM_AGAIN_S, ROOM_AGAIN_S]
    assert (SHARES.a_minute, LOOK_AGAIN_S > 0) == (90, True)


def test_what_forbids_to_send_is_looked_at_once_more_after_every_wait() -> None:
    sent: list[object] = []
    words = iter([None, "the kill switch is set"])

    class Budgeted:
        def call(self, request: object, *_: object, **__: object) -> Outcome[bytes]:
            sent.append(request)
            return NotSent(cause="used up", by_us=True)

    desk = Desk(Budgeted(), lambda: next(words), float("inf"), lambda _: None)  # type: ignore[arg-type]

    assert desk.place("hyc-1", b"{}") == NotSent(cause="the kill switch is set", by_us=True)
    assert (len(sent), desk.remains) == (1, ())
