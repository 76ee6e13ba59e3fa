"""What came of a request: by status and code alone."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.venues.alpaca.http import Answer, Failure
from hydra.venues.alpaca.outcomes import (
    Exists,
    NotSent,
    Ok,
    OrderOutcome,
    RateLimited,
    Refused,
    Unknown,
    describe,
    order_outcome_of,
    outcome_of,
)
from hydra.venues.alpaca.payloads import OrderPayload, read_nothing, read_order
from tests.venues.alpaca.samples import ID, order_json
from tests.venues.alpaca.vectors import PAYLOADS, payload


def of(status: int, body: Any = b"", **headers: str) -> OrderOutcome[OrderPayload]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Answer(status=status, headers=headers, body=raw)
    return order_outcome_of(outcome_of(answer, read_order))


def test_a_readable_order_is_what_was_wanted() -> None:
    outcome = of(200, order_json())

    assert isinstance(outcome, Ok)
    assert outcome.value.id == ID


@pytest.mark.parametrize("body", [b"", b"null", b"{}", b"[]", b"<html>", b'{"id": 1}', b'"ok"'])
def test_a_success_that_cannot_be_read_proves_nothing_i19(body: bytes) -> None:
    outcome = of(200, body)

    assert isinstance(outcome, Unknown)
    assert outcome.status == 200
    assert outcome.cause.startswith("200, and the answer cannot be read: ")


@pytest.mark.parametrize("status", [201, 202, 204, 206, 207])
@pytest.mark.parametrize("body", [b"", order_json()])
def test_a_success_that_is_not_documented_proves_nothing_i19(status: int, body: Any) -> None:
    expected = Unknown(cause=f"the broker answered {status}, wanted 200", status=status)

    assert of(status, body) == expected


def test_what_has_no_answer_to_read_needs_none() -> None:
    answer = Answer(status=204, headers={}, body=b"")

    assert outcome_of(answer, read_nothing, 204) == Ok(None)


def test_an_empty_page_is_no_yes_where_nothing_is_to_be_read_i19() -> None:
    answer = Answer(status=200, headers={}, body=b"")

    assert outcome_of(answer, read_nothing, 204) == Unknown(
        cause="the broker answered 200, wanted 204", status=200
    )


def test_a_page_where_nothing_is_to_be_read_is_not_the_brokers_word_i19() -> None:
    answer = Answer(status=204, headers={}, body=b"<html>")

    assert outcome_of(answer, read_nothing, 204) == Unknown(
        cause="204, and the answer cannot be read: 6 bytes where there should be none",
        status=204,
    )


@pytest.mark.parametrize("status", [301, 302, 307, 308, 408, 409, 425, 500, 502, 503, 504, 599])
@pytest.mark.parametrize("body", [b"", {"code": 42210000, "message": "no"}, order_json()])
def test_what_decides_nothing_leaves_everything_open_i19(status: int, body: Any) -> None:
    assert of(status, body) == Unknown(cause=f"the broker answered {status}", status=status)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
@pytest.mark.parametrize("body", [b"", b"<html></html>", b"[]", b"no", b"\xff", b"[" * 90_000])
def test_a_refusal_that_is_not_json_is_not_the_brokers_i19(status: int, body: bytes) -> None:
    assert of(status, body) == Unknown(cause=f"the broker answered {status}", status=status)


def test_a_refusal_keeps_its_code_its_text_and_what_comes_with_it() -> None:
    outcome = of(
        403,
        {
            "code": 40310000,
            "message": "insufficient\nqty",
            "available": "0",
            "related_orders": ["a", "b"],
        },
    )

    assert outcome == Refused(
        status=403,
        code=40310000,
        text="insufficient qty",
        details={"available": "0", "related_orders": '["a", "b"]'},
    )
    assert str(outcome) == (
        '403/40310000: insufficient qty, available 0, related_orders ["a", "b"]'
    )


@pytest.mark.parametrize("code", [40010001, 40010000, None, "40010001", 1.5])
def test_a_422_may_mean_that_the_order_exists_unless_its_code_says_otherwise_i18(
    code: object,
) -> None:
    body = {"message": "qty must be > 0"} | ({} if code is None else {"code": code})

    outcome = of(422, body)

    assert isinstance(outcome, Exists)
    assert outcome.refused.text == "qty must be > 0"


@given(st.text(), st.sampled_from([400, 401, 403, 404, 422]), st.integers(40_000_000, 43_000_000))
def test_no_text_ever_decides(text: str, status: int, code: int) -> None:
    said = of(status, {"code": code, "message": text})
    unsaid = of(status, {"code": code, "message": "client_order_id must be unique"})

    assert type(said) is type(unsaid)


def test_too_many_requests_say_when_there_may_be_more() -> None:
    reset = {"x-ratelimit-reset": "1795273260"}

    assert of(429, {"code": 42910000}, **reset) == RateLimited(reset_at=1795273260)
    assert of(429, b"<html>") == RateLimited(reset_at=None)
    assert of(429, b"", **{"x-ratelimit-reset": "soon"}) == RateLimited(reset_at=None)


def test_what_never_left_is_certain_and_what_may_have_left_is_not() -> None:
    assert outcome_of(Failure(cause="x", sent=False), read_order) == NotSent(cause="x")
    assert outcome_of(Failure(cause="x", sent=True), read_order) == Unknown(cause="x")


def test_absence_is_the_brokers_own_word_alone() -> None:
    by_the_broker = of(404, {"code": 40410000, "message": "order not found"})
    by_somebody = of(404, {"message": "no such page"})

    assert isinstance(by_the_broker, Refused)
    assert isinstance(by_somebody, Refused)
    assert by_the_broker.is_absence
    assert not by_somebody.is_absence


EXISTS = {"error_order_duplicate_client_order_id"}
UNKNOWN = {"error_internal", "error_timeout_504", "error_unauthorized_html"}


def error_vectors() -> list[str]:
    return sorted(path.stem for path in PAYLOADS.glob("error_*.json"))


@pytest.mark.parametrize("name", error_vectors())
def test_every_recorded_error_is_what_its_status_and_code_say(name: str) -> None:
    response = payload(name)["response"]
    status, body = response["status"], response["body"]
    headers = {key.lower(): value for key, value in response["headers"].items()}
    outcome = of(status, body.encode() if isinstance(body, str) else body, **headers)

    code = body.get("code") if isinstance(body, dict) else None
    if status == 429:
        assert isinstance(outcome, RateLimited)
    elif status >= 500 or name in UNKNOWN:
        assert isinstance(outcome, Unknown)
    elif status == 422 and code == 40010001:
        assert isinstance(outcome, Exists)
        assert outcome.refused.text == body["message"]
    else:
        assert isinstance(outcome, Refused)
        assert (outcome.status, outcome.code) == (status, code)
        assert outcome.text == body["message"]
        assert set(outcome.details) == set(body) - {"code", "message"}
    assert not isinstance(outcome, Ok)
    assert describe(outcome)
