"""Whatever is asked, the venue answers in a known way, and goes on."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.venues.server.rest import draws
from tests.venues.server.rest.asgi import Answer
from tests.venues.server.rest.stage import NOW, SATURDAY, Stage

STATUSES = {200, 204, 207, 400, 403, 404, 405, 422}


def check(answer: Answer) -> None:
    assert answer.status in STATUSES, answer
    if answer.status >= 400:
        assert isinstance(answer.json["message"], str)
    elif answer.content:
        json.loads(answer.content)


MOMENTS = (
    NOW,
    "2026-11-23T14:33:30Z",
    "2026-11-23T20:57:00Z",
    SATURDAY,
    "2026-12-18T20:30:30Z",
    "2026-12-21T15:00:00Z",
)


def play(choices: st.DataObject, rounds: int) -> None:
    """Orders and other requests by turns, some of these about orders that there are."""
    stage = Stage()
    moments = st.lists(st.sampled_from(MOMENTS), min_size=rounds, max_size=rounds)
    for moment in sorted(choices.draw(moments)):
        stage.come_to(moment)
        check(stage.ask("POST", "/v2/orders", body=choices.draw(draws.sensible_orders())))
        check(stage.ask("POST", "/v2/orders", body=choices.draw(draws.orders)))
        known = stage.ask("GET", "/v2/orders", {"status": "all"}).json
        path = choices.draw(draws.paths([order["id"] for order in known]))
        verb, query = choices.draw(draws.verbs), choices.draw(draws.queries)
        check(stage.ask(verb, path, query, choices.draw(draws.bodies)))
    assert stage.ask("GET", "/v2/account").status == 200
    assert stage.ask("GET", "/v2/positions").status == 200


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_requests_are_answered_without_a_crash(choices: st.DataObject) -> None:
    play(choices, 3)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_very_many_requests_are_answered_without_a_crash(choices: st.DataObject) -> None:
    play(choices, 5)
