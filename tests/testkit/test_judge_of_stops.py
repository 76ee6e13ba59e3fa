"""The judge on a session in which stops rested: they are no second sale, and too many of them are.

How the judge looks at everything else is in `test_judge`, on a session without them.
"""

import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from hydra.main import main
from hydra.ops.exit_codes import ExitCode
from hydra.trading.causes import OPERATOR_CLOSE_ONLY
from hydra.trading.orders import Role
from hydra.venues.simulated.market_data import generated
from tests.ops.sessions import shares_alone
from tests.testkit.falsified import Past, files_in


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stops")
    folders = ["--state-dir", str(folder / "state"), "--log-dir", str(folder / "logs")]
    config = ["--config", str(shares_alone(folder))]
    assert main(["--venue", "embedded", "--clock", "virtual", *folders, *config]) == ExitCode.CLEAN
    return folder


@pytest.fixture
def past(honest: Path, tmp_path: Path) -> Past:
    shutil.copytree(honest, tmp_path, dirs_exist_ok=True)
    return Past(tmp_path, generated(("AAPL",), 0, files_in(tmp_path).cache))


def first_stop(past: Past) -> int:
    """Which of the orders sent was the first to protect, from 1."""
    roles = [past.life.orders[sent.name].intent.decision.role for sent in past.life.sent]
    return roles.index(Role.PROTECT) + 1


def only_closing(past: Past, number: int) -> None:
    cause = OPERATOR_CLOSE_ONLY.cause(since=1, detail="said so")
    past.latch_in_journal(cause, before=past.sent(number))


def test_stops_that_rested_are_found_honest_i09(past: Past) -> None:
    assert first_stop(past) > 1
    assert past.found == []


def test_a_stop_may_go_out_when_only_closing_is_allowed_i09(past: Past) -> None:
    number = first_stop(past)

    only_closing(past, number)

    assert [each for each in past.found if past.sent(number).name in each] == []


def test_a_stop_for_more_than_is_held_is_found_i09(past: Past) -> None:
    number = first_stop(past)
    stop = past.sent(number)
    only_closing(past, number)

    past.log.put(stop, structs.replace(past.order(number), quantity=Decimal(80)), is_last=True)

    assert any(
        each.startswith(f"I09: {stop.name} does not only reduce: sell 80 of ")
        for each in past.found
    )
