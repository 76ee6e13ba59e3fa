"""The mode that is followed only goes down by itself, one step a kill event; up is a person's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.causes import DAILY_LOSS, OPERATOR_HALT, STALE_SYMBOL
from hydra.trading.kill_switch import Source, Unreadable, kill_cause
from hydra.trading.strategy_modes import (
    NOTHING_SAID,
    ModeWord,
    NotAllowed,
    StrategyMode,
    chosen,
    followed,
    is_kill_event,
    read,
    stepped_down,
    written,
)
from hydra.trading.trading_state import Cause

NONE, PRIMARY, FALLBACK, CONSERVATIVE, FLAT = StrategyMode
MODES = st.sampled_from(StrategyMode)


def loss(since: int) -> Cause:
    return DAILY_LOSS.cause(since=since, detail="a test")


def test_each_step_down_is_the_next_safer_mode_and_flat_is_the_last() -> None:
    assert [mode.below for mode in StrategyMode] == [
        FLAT,
        FALLBACK,
        CONSERVATIVE,
        FLAT,
        FLAT,
    ]


def test_a_kill_event_has_one_step_however_long_it_stands_and_after_a_restart() -> None:
    once = stepped_down(PRIMARY, NOTHING_SAID, [loss(1)], at=10)
    again = stepped_down(PRIMARY, read(written(once)), [loss(1)], at=20)

    assert (once.mode, once.at, once.reason) == (FALLBACK, 10, "step down after daily_loss")
    assert again == once


def test_one_that_is_latched_again_is_another_event() -> None:
    once = stepped_down(PRIMARY, NOTHING_SAID, [loss(1)], at=10)
    gone = stepped_down(PRIMARY, once, [], at=20)
    twice = stepped_down(PRIMARY, gone, [loss(30)], at=30)

    assert (gone.mode, gone.kills) == (FALLBACK, ())
    assert twice.mode is CONSERVATIVE


def test_only_what_stops_everybody_for_a_kill_condition_is_a_kill_event() -> None:
    kill = kill_cause(Source.STATE_FILE, "kill_switch", Unreadable("a folder"), 5)

    assert kill is not None
    assert is_kill_event(kill)
    assert is_kill_event(loss(1))
    assert not is_kill_event(OPERATOR_HALT.cause(since=1, detail="a test"))
    assert not is_kill_event(STALE_SYMBOL.cause(subject="AAPL", since=1, detail="a test"))


def test_an_operator_comes_back_up_to_what_is_configured_and_no_further() -> None:
    down = ModeWord(mode=FLAT, reason="step down", by="engine", at=1)

    word = chosen(FALLBACK, down, FALLBACK, reason="looked into", by="ada", at=2)

    assert (followed(FALLBACK, word), word.by) == (FALLBACK, "ada")
    with pytest.raises(NotAllowed, match="the configuration says fallback at best"):
        chosen(FALLBACK, down, PRIMARY, reason="hurry", by="ada", at=2)
    with pytest.raises(NotAllowed, match="no reason"):
        chosen(FALLBACK, down, FALLBACK, reason=" ", by="ada", at=2)


@given(MODES, MODES)
def test_the_safer_of_configuration_and_word_counts(
    configured: StrategyMode, said: StrategyMode
) -> None:
    word = ModeWord(mode=said, reason="a test", by="ada", at=1)

    assert followed(configured, word).rank == max(configured.rank, said.rank)


@given(MODES, st.lists(st.lists(st.integers(1, 5), max_size=3), max_size=8))
def test_nothing_but_an_operator_ever_comes_up(
    configured: StrategyMode, looks: list[list[int]]
) -> None:
    word, seen = NOTHING_SAID, set[int]()
    for at, times in enumerate(looks):
        before = followed(configured, word)
        # Under one code there is one cause: the newest counts.
        standing = [loss(times[-1])] if times else []
        word = stepped_down(configured, word, standing, at)
        after = followed(configured, word)
        assert after.rank >= before.rank
        if times and times[-1] not in seen:
            assert after.rank > before.rank or before is FLAT
        seen = {times[-1]} if times else set()


def test_a_record_that_cannot_be_read_is_flat() -> None:
    assert read("{").mode is FLAT
    assert read('{"mode": "bold", "reason": "", "by": "", "at": 0}').mode is FLAT
    assert read(None) == read("") == NOTHING_SAID
