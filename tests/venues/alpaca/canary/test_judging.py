"""What is a drift, what is news, and what tells nothing."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.canary import contract
from hydra.venues.alpaca.canary.contract import Shape
from hydra.venues.alpaca.canary.judging import Found, answer_to_probe, judged
from hydra.venues.alpaca.canary.lines import Verdict
from hydra.venues.alpaca.order_matrix import FORBIDDEN, MALFORMED, NOT_TOGETHER, Answer
from hydra.venues.alpaca.outcomes import (
    Exists,
    NotSent,
    Ok,
    OrderOutcome,
    RateLimited,
    Refused,
    Unknown,
)
from hydra.venues.alpaca.payloads import (
    OrderPayload,
    read_account,
    read_clock,
    read_fills,
    read_order,
)
from tests.venues.alpaca.samples import fill_json, order_json
from tests.venues.alpaca.vectors import PAYLOADS, frames_of, payload

ACCOUNT = {
    "account_number": "PA3HYDRA0001",
    "status": "ACTIVE",
    "crypto_status": "ACTIVE",
    "currency": "USD",
    "cash": "61874.33",
    "equity": "98412.71",
    "trading_blocked": False,
    "account_blocked": False,
    "trade_suspended_by_user": False,
}
CLOCK = {
    "timestamp": "2026-11-23T09:31:07.402118733-05:00",
    "is_open": True,
    "next_open": "2026-11-24T09:30:00-05:00",
    "next_close": "2026-11-23T16:00:00-05:00",
}
FINE: list[tuple[Shape, dict[str, Any], Callable[[bytes], object]]] = [
    (contract.ACCOUNT, ACCOUNT, read_account),
    (contract.CLOCK, CLOCK, read_clock),
    (contract.ORDER, order_json(), read_order),
    (contract.FILL, fill_json(), lambda body: read_fills(b"[%b]" % body)),
]
fine = st.sampled_from(FINE)
odd = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()


@given(data=st.data(), case=fine)
def test_a_field_that_is_needed_and_lacks_is_named_and_no_other_is_missed(
    data: st.DataObject, case: tuple[Shape, dict[str, Any], Any]
) -> None:
    shape, row, _ = case
    gone = data.draw(st.sets(st.sampled_from(sorted(row))))

    found = judged(shape, [{name: value for name, value in row.items() if name not in gone}])

    named = {fault.split()[0].removeprefix(f"{shape.name}.") for fault in found.faults}
    assert (named, found.news) == (gone & shape.needs.keys(), ())


@given(case=fine, more=st.dictionaries(st.text("xyz", min_size=1), odd | st.lists(odd)))
def test_a_field_that_nobody_knew_is_news_and_no_drift(
    case: tuple[Shape, dict[str, Any], Any], more: dict[str, Any]
) -> None:
    shape, row, _ = case

    found = judged(shape, [row | more, row])

    assert found == Found(news=tuple(f"{shape.name} has a new field {x}" for x in sorted(more)))


@given(data=st.data(), case=fine, value=odd)
def test_what_the_engine_cannot_read_is_found_here_too(
    data: st.DataObject, case: tuple[Shape, dict[str, Any], Any], value: object
) -> None:
    shape, row, read = case
    changed = row | {data.draw(st.sampled_from(sorted({**shape.needs, **shape.reads}))): value}

    try:
        read(msgspec.json.encode(changed))
    except BadAnswer:
        assert judged(shape, [changed]).faults


@pytest.mark.parametrize(
    ("shape", "row", "found"),
    [
        (contract.ORDER, order_json(status="half_open"), "order.status is half_open"),
        (contract.ACCOUNT, ACCOUNT | {"status": "FROZEN"}, "account.status is FROZEN"),
        (contract.UPDATE, {"event": "melted", "timestamp": CLOCK["timestamp"], "order": {}}, ""),
    ],
)
def test_a_word_that_decides_and_is_not_known_is_a_drift(
    shape: Shape, row: dict[str, Any], found: str
) -> None:
    (fault,) = judged(shape, [row]).faults

    assert found in fault and "no word that Hydra reads" in fault


def test_a_word_that_decides_nothing_is_news() -> None:
    found = judged(contract.ORDER, [order_json(type="iceberg")])

    assert found == Found(news=("order.type has a new word iceberg",))


def test_what_is_no_row_at_all_is_a_drift() -> None:
    assert judged(contract.ORDER, ["an order"]).faults == ("order is 'an order', wanted an object",)


REFUSED = Refused(status=422, code=42210000, text="no")


def refused(answer: Answer) -> Refused:
    return Refused(status=answer.status, code=answer.code, text="no")


@pytest.mark.parametrize(
    ("wanted", "outcome", "verdict"),
    [
        (NOT_TOGETHER, refused(NOT_TOGETHER), Verdict.PASS),
        (MALFORMED, Exists(refused=refused(MALFORMED)), Verdict.PASS),
        (FORBIDDEN, refused(FORBIDDEN), Verdict.PASS),
        (None, refused(NOT_TOGETHER), Verdict.DRIFTED),
        (None, Exists(refused=refused(MALFORMED)), Verdict.DRIFTED),
        (NOT_TOGETHER, Exists(refused=refused(MALFORMED)), Verdict.DRIFTED),
        (MALFORMED, refused(NOT_TOGETHER), Verdict.DRIFTED),
        (NOT_TOGETHER, refused(FORBIDDEN), Verdict.DRIFTED),
        # The account, its money or the hour: no word about the rule.
        (None, refused(FORBIDDEN), Verdict.UNKNOWN),
        # Whoever is away, or keeps us out, accuses nobody.
        (None, Unknown(cause="504"), Verdict.UNKNOWN),
        (NOT_TOGETHER, Unknown(cause="no answer"), Verdict.UNKNOWN),
        (NOT_TOGETHER, RateLimited(reset_at=None), Verdict.UNKNOWN),
        (None, NotSent(cause="no way there"), Verdict.UNKNOWN),
        (NOT_TOGETHER, refused(Answer(401, None)), Verdict.UNKNOWN),
    ],
)
def test_an_answer_to_a_probe_tells_of_the_rule_or_nothing(
    wanted: Answer | None, outcome: OrderOutcome[OrderPayload], verdict: Verdict
) -> None:
    line = answer_to_probe("order x", wanted, outcome)

    assert line is not None and line.verdict is verdict


def test_what_is_taken_and_should_be_refused_is_a_drift_and_the_other_way_is_none() -> None:
    taken = Ok(OrderPayload(id="1"))

    line = answer_to_probe("order x", NOT_TOGETHER, taken)

    assert line is not None and line.verdict is Verdict.DRIFTED
    assert answer_to_probe("order x", None, taken) is None


RECORDED = {
    "/v2/account": contract.ACCOUNT,
    "/v2/clock": contract.CLOCK,
    "/v2/calendar": contract.CALENDAR,
    "/v2/positions": contract.POSITION,
    "/v2/orders": contract.ORDER,
    "/v2/account/activities/FILL": contract.FILL,
}


def test_nothing_is_news_and_nothing_a_drift_in_what_was_recorded_of_the_broker() -> None:
    seen = set()
    for path in sorted(PAYLOADS.glob("*.json")):
        recorded = payload(path.stem)
        if not isinstance(recorded, dict) or recorded.get("kind") != "rest":
            continue
        where, answer = recorded["request"]["path"], recorded["response"]
        if where not in RECORDED or answer["status"] != 200:
            continue
        seen.add(where)
        body = answer["body"]
        assert judged(RECORDED[where], body if isinstance(body, list) else [body]) == Found(), path

    assert seen == set(RECORDED) or not PAYLOADS.exists()


@pytest.mark.parametrize(
    "name", ["ws_tu_accepted_then_new", "ws_tu_canceled_after_partial", "ws_tu_rejected_late"]
)
def test_nothing_is_news_in_the_updates_that_were_recorded(name: str) -> None:
    updates = [frame["data"] for frame in frames_of(name) if frame.get("stream") == "trade_updates"]

    assert judged(contract.UPDATE, updates) == Found()
    assert judged(contract.ORDER, [update["order"] for update in updates]) == Found()
