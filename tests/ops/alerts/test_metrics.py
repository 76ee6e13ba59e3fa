"""Numbers for Prometheus: read back by Prometheus' own parser, and none of them made up."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from hydra.ops.alerts.delivery import Waiting, put
from hydra.ops.alerts.kept import Kept
from hydra.ops.alerts.metrics import Numbers
from hydra.ops.alerts.serving import MetricsServer
from tests.ops.alerts.looks import cause, gone, seen
from tests.ops.alerts.test_delivery import message
from tests.ops.alerts.test_wording import LOSS

MAILBOX = {
    "path": "/hydra/bots/mom",
    "depth": 3,
    "control_depth": 1,
    "oldest_ms": 250.0,
    "high_water": 9,
    "bound": 64,
    "processed": 100,
    "failures": 2,
    "restarts": 1,
    "rejected": 4,
    "handled_ms": 1_500.0,
}
NOTHING = Numbers(seen=None, looked_at=None, kept=Kept(), mailboxes=None)


@contextmanager
def served(numbers: Numbers) -> Iterator[HTTPConnection]:
    server = MetricsServer(0, lambda: numbers)
    server.start()
    connection = HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        yield connection
    finally:
        connection.close()
        server.close()


def page(connection: HTTPConnection, path: str) -> tuple[int, str]:
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def samples(numbers: Numbers) -> dict[str, Any]:
    """Each by its name and labels."""
    with served(numbers) as connection:
        status, text = page(connection, "/metrics")
    assert status == 200
    return {
        sample.name + (str(sorted(sample.labels.values())) if sample.labels else ""): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_how_an_engine_is_comes_out_as_numbers() -> None:
    bots = [{"id": "mom", "status": "quarantined", "positions": {"SPY": "1.5"}, "budget": "125"}]
    look = seen(causes=[cause("nav_jump")], trading_state="HALTED", bots=bots, equity="99.5")
    found = samples(Numbers(seen=look, looked_at=5.0, kept=Kept(), mailboxes=(MAILBOX,)))

    expected = {
        "hydra_up": 1,
        "hydra_working": 1,
        "hydra_watch_looked_at_seconds": 5,
        "hydra_check['trading']": 0,
        "hydra_check['lease']": 1,
        "hydra_trading_state['ACTIVE']": 0,
        "hydra_trading_state['HALTED']": 1,
        "hydra_cause['HALTED', 'nav_jump']": 1,
        "hydra_loops_total": 12,
        "hydra_lease_seconds": 1.9,
        "hydra_coverage_percent": 100,
        "hydra_equity_usd": 99.5,
        "hydra_orders['today']": 3,
        "hydra_bot_running['mom']": 0,
        "hydra_position['SPY', 'mom']": 1.5,
        "hydra_budget_usd['mom']": 125,
        "hydra_mailbox_depth['/hydra/bots/mom']": 3,
        "hydra_mailbox_oldest_seconds['/hydra/bots/mom']": 0.25,
        "hydra_actor_messages_total['/hydra/bots/mom']": 100,
        "hydra_actor_handling_seconds_total['/hydra/bots/mom']": 1.5,
    }
    assert {name: found.get(name) for name in expected} == expected


def test_what_nobody_knows_has_no_sample() -> None:
    orders = {"open": None, "unknown": 0, "today": None}
    unsure = seen(equity=None, coverage_pct=None, loops=None, lease_ms=None, orders=orders)
    found = samples(Numbers(seen=unsure, looked_at=5.0, kept=Kept(), mailboxes=None))

    unknown = {"hydra_equity_usd", "hydra_coverage_percent", "hydra_loops_total"}
    assert found.keys().isdisjoint({*unknown, "hydra_lease_seconds", "hydra_orders['open']"})
    assert found["hydra_orders['unknown']"] == 0


def test_without_an_engine_it_is_said_that_it_is_not_up_and_nothing_else_of_it() -> None:
    found = samples(Numbers(seen=gone(), looked_at=5.0, kept=Kept(), mailboxes=None))

    assert (found["hydra_up"], found["hydra_working"]) == (0, 0)
    assert {name.partition("[")[0] for name in found} == {
        "hydra_up",
        "hydra_working",
        "hydra_watch_looked_at_seconds",
        "hydra_incidents",
    }


def test_what_stands_and_what_waits_is_counted() -> None:
    kept = Kept(incidents={LOSS.key: LOSS}, waiting={"JSON 1": put(Waiting(), message())})
    found = samples(Numbers(seen=None, looked_at=None, kept=kept, mailboxes=None))

    assert found["hydra_incidents['critical']"] == 1
    assert found["hydra_incidents['notice']"] == 0
    assert found["hydra_alerts_waiting['JSON 1']"] == 1


def test_healthz_says_for_programs_what_health_says_for_people() -> None:
    def asked(look: Any, age_s: float = 0.0) -> tuple[int, str]:
        looked_at = time.time() - age_s
        numbers = Numbers(seen=look, looked_at=looked_at, kept=Kept(), mailboxes=None)
        with served(numbers) as connection:
            return page(connection, "/healthz")

    status, text = asked(seen())
    assert (status, text.splitlines()[0]) == (
        200,
        "pass  engine: it runs and answers; venue paper",
    )
    assert asked(gone()) == (503, "FAIL  engine: none runs: no socket\n")
    assert asked(None) == (503, "FAIL  watch: nobody has looked yet\n")
    stuck = "FAIL  watch: the last look was 40 s ago, at most 30 s; the watch hangs"
    assert (asked(seen(), 40.2)[0], asked(seen(), 40.2)[1].splitlines()[0]) == (503, stuck)


def test_another_page_is_not_there_and_says_which_are() -> None:
    with served(NOTHING) as connection:
        assert page(connection, "/") == (
            404,
            "found no such page; there are /metrics and /healthz\n",
        )
