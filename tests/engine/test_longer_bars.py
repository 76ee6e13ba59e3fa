"""Bots on bars longer than the market's: their strategies decide at those bars' ends alone."""

import pytest

from hydra.actor import MINUTE
from hydra.settings import Settings
from hydra.settings.strategy_mode import in_mode
from hydra.trading.orders import Role
from hydra.trading.strategy_modes import StrategyMode
from supervisors import paths
from tests.engine.harness import (
    OPEN_AT,
    Gibberish,
    Played,
    bars_of,
    market_of,
    play,
    shipped_settings,
    two_days,
)
from tests.settings.test_changes import with_value

BOT = "momentum_bots[mom_AAPL]"
RISING = market_of(bars_of([100.0 + number * 0.02 for number in range(120)]))


def alone(bar_minutes: int, entry_minutes: int) -> Settings:
    """One bot, which enters when a bar has closed higher than the one before it."""
    changes: dict[str, object] = {
        "momentum_bots[mom_AAPL_cross].enabled": False,
        f"{BOT}.signal.params": {"lookback_bars": 1, "threshold_pct": 0.01},
        f"{BOT}.signal.bar_minutes": bar_minutes,
        f"{BOT}.signal.entry_minutes": entry_minutes,
    }
    settings = shipped_settings()
    for key, value in changes.items():
        settings = with_value(settings, key, value)
    return settings


def entries(played: Played) -> list[int]:
    """After how many minutes of the session the bot wished to enter."""
    intents = [event["intent"] for event in played.journal.events("order_intended")]
    return [
        (intent.decided_at - OPEN_AT) // MINUTE
        for intent in intents
        if intent.decision.bot == "mom_AAPL" and intent.decision.role is Role.ENTRY
    ]


def test_a_bot_on_bars_of_fifteen_minutes_enters_at_their_ends() -> None:
    minutes = entries(play(RISING, settings=alone(15, 15)))

    assert minutes
    assert {minute % 15 for minute in minutes} == {0}


def test_what_could_not_be_done_at_once_is_done_at_the_next_full_minutes() -> None:
    minutes = entries(play(RISING, settings=alone(30, 10)))

    assert minutes
    assert {minute % 10 for minute in minutes} == {0}
    assert minutes[0] >= 60  # two bars have to be over for one to be higher


def test_a_strategy_mode_brings_its_bars_to_every_bot() -> None:
    settings = in_mode(shipped_settings(), StrategyMode.CONSERVATIVE)

    assert {bot.signal.bar_minutes for bot in settings.momentum_bots} == {60}
    assert settings.cryptobot.signal.entry_minutes == 15
    assert entries(play(RISING, settings=settings)) == []


RISES_AND_FALLS = market_of(
    bars_of(
        [round(100.0 + number * 0.02, 2) for number in range(60)]
        + [round(101.0 - number * 0.25, 2) for number in range(60)]
    )
)


@pytest.mark.parametrize("fails", [False, True], ids=["", "the bot begins anew"])
def test_what_a_long_bar_wants_is_entered_once_and_not_again_after_its_stop_i16_i38(
    fails: bool,
) -> None:
    at = OPEN_AT + 63 * MINUTE + 1
    failure = {at: lambda runtime: runtime.tell(paths.bot("mom_AAPL"), Gibberish())}

    played = play(RISES_AND_FALLS, settings=alone(30, 5), at=failure if fails else None)

    assert entries(played) == [60]
    assert played.summary.held == ()


def test_what_the_last_bar_of_a_day_wants_is_history_in_the_next_one() -> None:
    rises_at_last = [100.0] * 361 + [round(100.0 + number * 0.03, 2) for number in range(29)]

    played = play(two_days(rises_at_last, [95.0] * 60), settings=alone(30, 5))

    assert entries(played) == []
