"""Every setting of the schema, made tighter: in force while the engine runs, or it says why not."""

from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hydra.actor import ChildSpec
from hydra.assembly import Tree
from hydra.ops.config.history import Content
from hydra.ops.reload_source import ConfigSource, Unreadable
from hydra.ops.reload_tree import guardian_terms_in, held_to, replacements
from hydra.settings import Settings
from hydra.settings.changes import (
    READ_AT_START,
    Effect,
    changes_between,
    reload_verdict,
)
from hydra.settings.closed_bots import still_managed
from hydra.settings.entries import Entry, entries_of
from hydra.settings.kinds import Choice
from hydra.settings.safer import Safer
from supervisors import paths
from tests.engine.harness import World, bars_of, market_of, shipped_settings
from tests.ops.reloading import Followed
from tests.settings.test_changes import with_value

OFF = "momentum_bots[mom_TSLA].enabled"
ALL_ON = with_value(shipped_settings(), OFF, True)
ENTRIES = {entry.key: entry for entry in entries_of(ALL_ON)}


@cache
def built() -> Tree:
    """The engine's parts with bots of all kinds that this market has something for."""
    symbols = ("AAPL", "TSLA", "SPY", "BTC/USD", "ETH/USD")
    bars = tuple(bar for symbol in symbols for bar in bars_of([100.0] * 2, symbol))
    return World(market_of(bars), settings=ALL_ON).begin().parts


def tightened(entry: Entry) -> object | None:
    """A value that is safer; None: there is no safer one."""
    value = entry.value
    match entry.safer:
        case Safer.LOWER if isinstance(value, Decimal):
            return value * Decimal("0.9")
        case Safer.LOWER if isinstance(value, int):
            return value // 2 or None
        case Safer.HIGHER if isinstance(value, int | Decimal):
            return value * 2
        case Safer.ON:
            return None if value is True else True
        case Safer.OFF:
            return None if value is False else False
        case Safer.LAST:
            assert isinstance(entry.kind, Choice)
            last = entry.kind.members[-1]
            return None if value is last else last
        case Safer.FEWER if isinstance(value, tuple):
            return value[:-1] or None
        case _:
            return None


TIGHTER = {key: value for key, entry in ENTRIES.items() if (value := tightened(entry)) is not None}


def concerns_nobody_here(key: str) -> bool:
    """It is of a bot that is off or has nothing to trade here, or of a mode that is not followed:
    what it says is in force, and nobody is to be told.
    """
    section = dict(ALL_ON).get(key.partition(".")[0])
    bot = getattr(section, "bot_id", None)
    return key.startswith("modes.") or (bot is not None and bot not in built().bots)


def concerned(before: Settings, after: Settings) -> list[str]:
    """Who gets something else by it, but for the digest, which the guardian always gets."""
    managed, closed = still_managed(before, after)
    old, new = (built().rebuilt(each).tree for each in (before, managed))
    found = replacements(_without_digest(old), _without_digest(new))
    return [each.path for each in found] + [each.bot for each in closed]


def _without_digest(tree: ChildSpec) -> ChildSpec:
    return held_to(tree, replace(guardian_terms_in(tree), configuration=""))


@pytest.mark.parametrize("key", TIGHTER)
def test_a_setting_made_tighter_reaches_somebody_or_says_why_not_i41_k12(key: str) -> None:
    before = ALL_ON
    after = with_value(before, key, TIGHTER[key])
    changes = changes_between(before, after)
    verdict = reload_verdict(changes)

    assert [change.effect for change in changes] == [Effect.TIGHTER]
    if verdict.is_taken:
        assert concerned(before, after) or concerns_nobody_here(key)
    else:
        assert key.startswith(tuple(READ_AT_START))
        assert "it is tighter, but" in verdict.reasons[0]


def test_there_is_no_reason_left_for_a_setting_that_is_gone() -> None:
    for beginning in READ_AT_START:
        assert any(key.startswith(beginning) for key in ENTRIES), beginning


def test_bots_of_each_kind_are_there_to_be_told() -> None:
    assert {"mom_AAPL", "mom_TSLA", "crypto_core"} <= set(built().bots)


class Drawn(ConfigSource):
    """Files whose content is drawn: fit ones, and none at all."""

    def __init__(self) -> None:
        super().__init__(Path("nowhere"))
        self.settings: Settings | None = ALL_ON

    def look(self) -> Content | Unreadable:
        if self.settings is None:
            return Unreadable("gone")
        return self.settings.digest.encode(), b""

    def read(self) -> Settings:
        assert self.settings is not None
        return self.settings


KEYS = sorted(TIGHTER)
EDITS = st.lists(
    st.tuples(st.sampled_from(KEYS), st.sampled_from(["tighter", "back", "looser"])), max_size=3
)


@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_no_reload_ever_loosens_a_limit_in_force_i41_i79(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    source = Drawn()
    engine = Followed(tmp_path_factory.mktemp("drawn"), source=source)
    engine.look()
    for _ in range(data.draw(st.integers(1, 6), label="reloads")):
        before = engine.reload.in_force
        source.settings = data.draw(st.none() | EDITS.map(edited), label="files")
        engine.look()
        after = engine.reload.in_force

        effects = {change.effect for change in changes_between(before, after)}
        assert effects <= {Effect.TIGHTER}
        terms = guardian_terms_in(engine.reload.running)
        assert terms.configuration == after.digest
        assert engine.life.runtime.cells[paths.RISK_GUARDIAN.path].incarnation == 1
        if engine.reload.told()["pending"] is None and source.settings is not None:
            assert after.digest == source.settings.digest
        if source.settings is None:
            assert "bad_reload" in engine.life.causes


def edited(edits: list[tuple[str, str]]) -> Settings:
    """The settings with some of them made tighter, or looser than they were."""
    found = ALL_ON
    for key, way in edits:
        entry = ENTRIES[key]
        if way == "tighter":
            found = with_value(found, key, TIGHTER[key])
        elif way == "looser" and isinstance(entry.value, int) and entry.safer is Safer.LOWER:
            found = with_value(found, key, entry.value + 1)
    return found
