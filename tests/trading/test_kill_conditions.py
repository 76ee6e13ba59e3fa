"""Which causes are kill conditions, and what sounds while a switch is off."""

import pytest
from msgspec import structs

from hydra.trading import causes
from hydra.trading.causes import KINDS, CauseKind, Scope
from hydra.trading.kill_conditions import (
    ALL_HALT,
    ANOMALIES,
    Alarms,
    KillConditions,
    condition_of,
    halts,
)
from hydra.trading.trading_state import Cause

SWITCHES = ("api_failure", "data_stale", "daily_loss", "anomaly")
NONE_HALTS = KillConditions(api_failure=False, data_stale=False, daily_loss=False, anomaly=False)


def cause(kind: CauseKind) -> Cause:
    subject = "AAPL" if kind.has_subject else ""
    return kind.cause(since=1, detail="a test", subject=subject)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_with_all_switches_on_everything_halts(kind: CauseKind) -> None:
    assert halts(cause(kind), ALL_HALT)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_with_all_switches_off_only_kill_conditions_do_not_halt(kind: CauseKind) -> None:
    assert halts(cause(kind), NONE_HALTS) is (condition_of(kind) is None)


def test_every_kill_condition_is_the_exit_bots_and_each_switch_has_some() -> None:
    kinds = [kind for kind in KINDS if condition_of(kind) is not None]

    assert all(kind.is_exit_bots for kind in kinds)
    assert {condition_of(kind) for kind in kinds} == set(SWITCHES)
    assert {kind for kind in KINDS if kind.is_exit_bots} == set(kinds)


def test_each_switch_is_for_its_own_condition() -> None:
    for name in SWITCHES:
        one_off = structs.replace(ALL_HALT, **{name: False})
        quiet = {condition_of(kind) for kind in KINDS if not halts(cause(kind), one_off)}
        assert quiet == {name}


@pytest.mark.parametrize("code", sorted(ANOMALIES))
def test_an_anomaly_that_is_quiet_only_alarms_and_all_else_halts(code: str) -> None:
    one_quiet = structs.replace(ALL_HALT, quiet_anomalies=frozenset({code}))

    assert {kind.code for kind in KINDS if not halts(cause(kind), one_quiet)} == {code}


def test_what_is_no_anomaly_cannot_be_made_quiet() -> None:
    everything = frozenset(kind.code for kind in KINDS)
    all_quiet = structs.replace(ALL_HALT, quiet_anomalies=everything)

    assert {kind.code for kind in KINDS if not halts(cause(kind), all_quiet)} == ANOMALIES


def test_a_cause_that_nobody_knows_halts_whatever_is_switched_off() -> None:
    odd = structs.replace(cause(causes.API_FAILURES), code="new_cause")

    assert halts(odd, NONE_HALTS)


def test_an_alarm_is_news_once_and_sounds_for_as_long_as_it_is_so() -> None:
    alarms, stale = Alarms(), cause(causes.STALE_FEED)
    jump = cause(causes.NAV_JUMP)

    assert (alarms.sound(stale), alarms.sound(stale), alarms.sound(jump)) == (True, False, True)
    assert list(alarms.causes) == [stale, jump]
    assert list(alarms.keep({"nav_jump"})) == [stale]
    assert list(alarms.keep({"nav_jump"})) == []
    assert list(alarms.causes) == [jump]
    assert alarms.sound(stale)


def test_kill_conditions_stop_all_orders_or_those_of_a_symbol() -> None:
    assert {kind.scope for kind in KINDS if condition_of(kind)} == {Scope.ALL, Scope.SYMBOL}
