"""The canary on the local venue, over its sockets: what is planted is found, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from hydra.settings.section import VenueName
from hydra.trading.differences import DifferenceKind
from hydra.venues.alpaca.canary.desk import PREFIX, Desk
from hydra.venues.alpaca.canary.lines import Verdict
from hydra.venues.alpaca.canary.whole import NotThisAccount
from tests.venues.alpaca.canary.served import (
    COIN,
    RUN,
    SHARE,
    Plant,
    Scene,
    checks,
    line_on,
    news_in,
    on_local_venue,
    quickly,
)

pytestmark = pytest.mark.usefixtures("quick")

EVERY = "/rules/requests"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quickly(monkeypatch)


def altered(method: str, path: str, *, remove: tuple[str, ...] = (), **fields: Any) -> Plant:
    """Answers of this path, always."""
    alteration = {
        "set": {name.replace("__", "."): value for name, value in fields.items()},
        "remove": remove,
    }
    fault = {"type": "alter", "alteration": alteration}
    return EVERY, {"method": method, "path": path, "fault": fault, "times": None}


def answered(contains: str, status: int, body: object, **more: Any) -> Plant:
    """Requests to place an order whose name has this in it."""
    fault = {"type": "answer", "status": status, "body": body, **more}
    return EVERY, {"method": "POST", "path": "/v2/orders", "contains": contains, "fault": fault}


def told(of: str, **fields: Any) -> Plant:
    alteration = {"set": {name.replace("__", "."): value for name, value in fields.items()}}
    return "/rules/updates", {"event": of, "fault": {"type": "alter", "alteration": alteration}}


def test_a_clean_venue_passes_every_line_and_keeps_nothing() -> None:
    async def test(scene: Scene) -> None:
        whole = await scene.look()

        assert checks(whole, Verdict.DRIFTED, Verdict.UNKNOWN, Verdict.NOT_NOW) == []
        assert (whole.remains, news_in(whole)) == ((), [])
        orders = await scene.ask("GET", "/v2/orders?status=all&limit=500")
        assert {each["status"] for each in orders} == {"canceled"}
        assert all(each["client_order_id"].startswith(f"{PREFIX}{RUN}-") for each in orders)
        assert await scene.ask("GET", "/v2/positions") == []
        assert await scene.differences() == []  # no engine halts over what it has left

    on_local_venue(test)


@pytest.mark.slow
def test_while_the_exchange_is_closed_what_needs_it_is_left_for_later() -> None:
    async def test(scene: Scene) -> None:
        whole = await scene.look()

        assert checks(whole, Verdict.DRIFTED, Verdict.UNKNOWN) == []
        later = checks(whole, Verdict.NOT_NOW)
        assert {"share to probe with", "order share-day", "order share-ioc"} <= set(later)
        assert not any(check.startswith(("path", "order coin")) for check in later)

    on_local_venue(test, minute=420)


DRIFTS: dict[str, tuple[list[Plant], list[str]]] = {
    "a field that is needed": (
        [altered("GET", "/v2/clock", remove=("next_open",))],
        ["clock"],
    ),
    "a type": ([altered("GET", "/v2/calendar", open=930)], ["calendar"]),
    "a word of an asset": ([altered("GET", "/v2/assets/HYDR", status="half")], ["share asset"]),
    "a quote": (
        [altered("GET", "/v2/stocks/quotes/latest", quotes__HYDR__bp="none")],
        ["share quote"],
    ),
    "a status in an answer": (
        [altered("GET", "/v2/orders:by_client_order_id", status="half_open")],
        ["path: by name"],
    ),
    "an order that comes back otherwise": (
        [altered("GET", "/v2/orders:by_client_order_id", limit_price="1.23")],
        ["path: by name"],
    ),
    "an event": ([told("new", event="melted")], ["path: trade updates"]),
    "an order's status in an update": (
        [told("new", order__status="half_open")],
        ["path: trade updates"],
    ),
    "a path that is gone": (
        [
            (
                EVERY,
                {
                    "path": "/v2/calendar",
                    "fault": {"type": "answer", "status": 404, "body": {"message": "not found"}},
                    "times": None,
                },
            )
        ],
        ["calendar"],
    ),
    "what was taken is refused": (
        [answered("fraction-day", 422, {"code": 42210000, "message": "no fractions any more"})],
        ["order fraction-day"],
    ),
    "what was refused is refused otherwise": (
        [answered("long-name", 422, {"code": 42210000, "message": "too long"})],
        ["order long-name"],
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("drift", DRIFTS)
def test_a_drift_is_found_and_named_and_only_that(drift: str) -> None:
    plants, named = DRIFTS[drift]

    async def test(scene: Scene) -> None:
        await scene.plant(*plants)

        whole = await scene.look()

        assert checks(whole, Verdict.DRIFTED) == named
        assert whole.remains == ()

    on_local_venue(test)


@pytest.mark.slow
def test_what_should_be_refused_and_is_taken_is_a_drift_and_is_canceled() -> None:
    """The venue takes it as another order, as a broker with a new rule would."""

    async def test(scene: Scene) -> None:
        order = {
            "symbol": SHARE,
            "qty": "1",
            "side": "buy",
            "type": "limit",
            "limit_price": "20",
            "time_in_force": "gtc",
            "client_order_id": f"{PREFIX}{RUN}-fraction-gtc",
        }
        placed = await scene.ask("POST", "/v2/orders", order)
        await scene.plant(answered("fraction-gtc", 200, placed))

        # What an earlier run left is taken out first, and this is of this run.
        whole = await scene.look()

        assert checks(whole, Verdict.DRIFTED) == ["order fraction-gtc"]
        assert "it was taken" in line_on(whole, "order fraction-gtc")
        assert await scene.ask("GET", "/v2/orders?status=open") == []

    on_local_venue(test)


@pytest.mark.slow
def test_what_is_new_and_changes_nothing_is_news() -> None:
    async def test(scene: Scene) -> None:
        await scene.plant(
            altered("GET", "/v2/account", mood="good"),
            altered("GET", "/v2/orders", time_in_force="gtd"),
        )

        whole = await scene.look()

        assert checks(whole, Verdict.DRIFTED, Verdict.UNKNOWN) == []
        assert news_in(whole) == [
            "account has a new field mood",
            "order.time_in_force has a new word gtd",
        ]

    on_local_venue(test)


@pytest.mark.slow
def test_an_account_that_does_not_say_whether_it_may_trade_is_sent_nothing() -> None:
    async def test(scene: Scene) -> None:
        await scene.plant(altered("GET", "/v2/account", remove=("trading_blocked",)))

        whole = await scene.look()

        assert checks(whole, Verdict.DRIFTED) == ["account"]
        assert "trading_blocked is missing" in line_on(whole, "share to probe with")
        assert await scene.ask("GET", "/v2/orders?status=all") == []

    on_local_venue(test)


@pytest.mark.slow
def test_an_order_that_landed_without_an_answer_is_found_and_taken_out() -> None:
    async def test(scene: Scene) -> None:
        await scene.plant(answered("-share-gtc", 504, None, landed=True))

        whole = await scene.look()

        assert checks(whole, Verdict.DRIFTED) == []
        assert checks(whole, Verdict.UNKNOWN) == ["order share-gtc"]
        assert (whole.remains, await scene.ask("GET", "/v2/orders?status=open")) == ((), [])

    on_local_venue(test)


@pytest.mark.slow
def test_one_that_did_not_land_is_named_all_the_same_and_nothing_is_sent_after_it() -> None:
    async def test(scene: Scene) -> None:
        await scene.plant(answered("-share-gtc", 504, None))

        whole = await scene.look()

        assert "left behind" in checks(whole, Verdict.UNKNOWN)
        assert "not sent: " in line_on(whole, "order share-ioc")
        (sent,) = await scene.ask("GET", "/v2/orders?status=all")
        assert sent["client_order_id"].endswith("share-day")
        (left,) = whole.remains
        assert left.startswith(f"{PREFIX}{RUN}-share-gtc: it may be there: ")

    on_local_venue(test)


@pytest.mark.slow
def test_of_orders_that_cannot_be_read_one_is_sent_at_most_and_is_canceled() -> None:
    async def test(scene: Scene) -> None:
        await scene.plant(
            altered("POST", "/v2/orders", filled_qty={}),
            altered("GET", "/v2/orders*", filled_qty={}),
        )

        whole = await scene.look()

        assert "orders" in checks(whole, Verdict.DRIFTED)
        (left,) = whole.remains
        assert left.startswith(f"{PREFIX}{RUN}-share-day: ")
        (sent,) = await scene.ask("GET", "/v2/orders?status=all")
        assert sent["status"] == "canceled"

    on_local_venue(test)


@pytest.mark.slow
def test_a_cancel_that_stays_pending_is_named_and_the_next_run_sees_its_end() -> None:
    async def test(scene: Scene) -> None:
        await scene.plant(("/acts", {"type": "hold_cancels", "times": 1}))

        whole = await scene.look()

        unknown = checks(whole, Verdict.UNKNOWN)
        assert checks(whole, Verdict.DRIFTED) == []
        assert {"path: cancel", "order share-day", "left behind"} <= set(unknown)
        (left,) = whole.remains
        assert "share-day: order " in left and "not seen to end: it is pending_cancel" in left

        await scene.plant(("/acts", {"type": "release_cancels"}))
        after = await scene.look(run="20260105T144500Z-next")
        assert (checks(after, Verdict.DRIFTED, Verdict.UNKNOWN), after.remains) == ([], ())

    on_local_venue(test)


@pytest.mark.slow
def test_an_order_that_traded_in_spite_of_all_is_called_by_its_name() -> None:
    async def test(scene: Scene) -> None:
        await scene.plant(
            ("/acts", {"type": "fill_after_cancel", "symbol": SHARE, "times": 1, "quantity": None})
        )

        whole = await scene.look()

        assert "order share-day" in checks(whole, Verdict.DRIFTED)
        (left,) = whole.remains
        assert "TRADED: buy 1 HYDR, which the account has now" in left

    on_local_venue(test)


def test_what_a_killed_run_left_is_canceled_by_the_next_one_and_others_are_let_be() -> None:
    async def test(scene: Scene) -> None:
        order = {
            "symbol": COIN,
            "qty": "0.001",
            "side": "buy",
            "type": "limit",
            "limit_price": "30000",
            "time_in_force": "gtc",
        }
        left = {**order, "client_order_id": f"{PREFIX}20260104T143500Z-dead-coin-gtc"}
        await scene.ask("POST", "/v2/orders", left)
        await scene.ask("POST", "/v2/orders", {**order, "client_order_id": "somebody-elses"})

        assert await scene.differences() == 2 * [DifferenceKind.FOREIGN_ORDER]
        whole = await scene.look(shares=("NONE",), coins=("NONE/USD",))

        assert line_on(whole, "left by an earlier run") == "1 canceled, and seen to end"
        (open_,) = await scene.ask("GET", "/v2/orders?status=open")
        assert open_["client_order_id"] == "somebody-elses"

    on_local_venue(test)


@pytest.mark.slow
def test_nothing_is_sent_in_what_is_held_or_has_an_order() -> None:
    async def test(scene: Scene) -> None:
        await scene.ask(
            "POST",
            "/v2/orders",
            {
                "symbol": COIN,
                "qty": "0.001",
                "side": "buy",
                "type": "limit",
                "limit_price": "30000",
                "time_in_force": "gtc",
                "client_order_id": "somebody-elses",
            },
        )
        drift = {"type": "drift_position", "symbol": SHARE, "quantity": "1", "price": "100"}
        await scene.plant(("/acts", drift))

        whole = await scene.look()

        for check in ("share to probe with", "coin to probe with"):
            assert "held, or with orders in it" in line_on(whole, check)
        (only,) = await scene.ask("GET", "/v2/orders?status=all")
        assert only["client_order_id"] == "somebody-elses"

    on_local_venue(test)


def test_nothing_is_sent_where_something_forbids_it() -> None:
    async def test(scene: Scene) -> None:
        whole = await scene.look(barred=lambda: "the kill switch is set")

        assert "the kill switch is set" in line_on(whole, "order share-day")
        assert await scene.ask("GET", "/v2/orders?status=all") == []

    on_local_venue(test)


def test_nothing_is_sent_to_another_account_than_the_one_on_record() -> None:
    async def test(scene: Scene) -> None:
        with pytest.raises(NotThisAccount, match="bound to account PA3OTHERS001"):
            await scene.look(bound_account="PA3OTHERS001")
        with pytest.raises(ValueError, match="never probed"):
            await scene.look(mode=VenueName.LIVE)

    on_local_venue(test)


@pytest.mark.slow
def test_an_interrupt_takes_out_what_was_placed_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Desk, "look_by_name", interrupted)

    async def test(scene: Scene) -> None:
        whole = await scene.look()

        assert checks(whole, Verdict.UNKNOWN) == ["run"]
        assert line_on(whole, "left behind") == "1 canceled, and seen to end"
        assert await scene.ask("GET", "/v2/orders?status=open") == []

    on_local_venue(test)


def test_a_venue_that_does_not_answer_is_no_drift() -> None:
    async def test(scene: Scene) -> None:
        await scene.plant(
            (EVERY, {"fault": {"type": "answer", "status": 503, "body": None}, "times": None})
        )

        whole = await scene.look()

        assert checks(whole, Verdict.UNKNOWN) == ["account"] and len(whole.lines) == 1

    on_local_venue(test)
