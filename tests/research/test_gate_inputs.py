"""What a session ran with is read from its bundle: the bars that came to it, and its settings."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from hydra.ops.artefacts.opening import NOTHING_KNOWN
from hydra.ops.artefacts.provenance import Provenance, RunFacts, Window
from hydra.ops.config.looking import SHIPPED
from hydra.plugins import fault_in_signal
from hydra.research import recorded_market as module
from hydra.research.gate import NotReplayable, SessionBundle
from hydra.research.gate_inputs import data_of, settings_of
from hydra.research.recorded import NotRecorded
from hydra.research.recorded_market import NoRecordedMarket, recorded_market
from hydra.runtime.contents import encoded
from hydra.runtime.recording import Entry, Lane, Payload
from hydra.settings import load_settings
from hydra.settings.strategy_mode import in_mode
from hydra.settings.whole import content_of
from hydra.trading.bars import Bar
from hydra.trading.strategy_modes import StrategyMode
from messages.market import BarClosed, BarsReceived
from tests.engine.scenery import bars_of, market_of, rising, shipped_settings
from tests.research.bar_files import config_with
from tests.research.recorded_sessions import recorded_session

MARKET = market_of(bars_of(rising(10)))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded") / "2016-04-15-001"
    recorded_session(folder, MARKET)
    return folder


def bundle(folder: Path, configuration: str) -> SessionBundle:
    """As the gate reads it, of a session that ran with these settings."""
    run = RunFacts(
        mode="embedded",
        venue="embedded",
        account=None,
        version="0.1.0",
        configuration=configuration,
        origin="bars",
        window=Window(begins_at=MARKET.begins_at),
    )
    provenance = Provenance(
        session=folder.name,
        run=run,
        began_at=MARKET.begins_at,
        began_wall_at=0,
        ended_at=MARKET.bars[-1].end_at,
    )
    return SessionBundle(folder=folder, provenance=provenance, opening=NOTHING_KNOWN, faults=())


def test_the_recorded_market_is_the_market_that_was_played(recorded: Path) -> None:
    found = recorded_market(recorded, history=5)

    assert found.market.bars == MARKET.bars
    assert found.market.sessions == MARKET.sessions
    assert found.market.symbols == MARKET.symbols
    assert found.history == ()
    assert (found.window.start, found.window.end) == (MARKET.begins_at, MARKET.bars[-1].end_at)
    assert [file.digest for file in found.files] == [found.market.digest]


def heard(message: BarsReceived | BarClosed, number: int, *, outside: bool = True) -> Entry:
    """As a recording has it."""
    kind = type(message)
    payload = Payload(kind.__module__, encoded(message)) if outside else None
    return Entry("cell", ("market", 1, number), 0, 0, Lane.USER, kind.__name__, 0, payload)


def replayed_from(
    events: Sequence[Entry], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[tuple[Bar, ...], tuple[Bar, ...]]:
    monkeypatch.setattr(module, "events_in", lambda _: iter(events))
    found = recorded_market(folder, history=2)
    return found.market.bars, found.history


def test_bars_of_before_the_session_are_its_history_and_the_first_word_on_a_bar_counts(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = MARKET.bars[:2]
    length = first.end_at - first.start_at
    older = [
        replace(first, start_at=first.start_at - n * length, end_at=first.end_at - n * length)
        for n in (4, 3, 2)
    ]
    mended = replace(first, volume=first.volume + 1)
    messages = [
        *(BarsReceived(bars=(bar,), is_backfill=True) for bar in older),
        BarsReceived(bars=(second,)),
    ]
    messages += [BarsReceived(bars=(first,)), BarsReceived(bars=(mended,))]
    events = [heard(message, number) for number, message in enumerate(messages)]
    events.append(heard(BarsReceived(bars=(MARKET.bars[2],)), 90, outside=False))
    events.append(heard(BarClosed(bar=MARKET.bars[3]), 91))

    bars, history = replayed_from(events, recorded, monkeypatch)

    assert bars == (first, second)
    assert history == tuple(older[1:])


def test_a_recording_without_a_bar_of_the_session_is_refused(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NoRecordedMarket, match="found no bar of the session"):
        replayed_from([], recorded, monkeypatch)


def test_without_a_recording_there_is_no_recorded_market(tmp_path: Path) -> None:
    with pytest.raises(NotRecorded):
        recorded_market(tmp_path, history=5)


def test_the_settings_are_those_of_the_recording(recorded: Path, tmp_path: Path) -> None:
    wanted = shipped_settings()

    assert settings_of(bundle(recorded, wanted.digest), tmp_path) == wanted


def test_without_a_recording_they_are_those_of_the_files_if_they_are_the_same(
    tmp_path: Path,
) -> None:
    wanted = shipped_settings()

    assert settings_of(bundle(tmp_path, wanted.digest), SHIPPED) == wanted


def test_the_settings_of_a_session_in_a_strategy_mode_are_what_the_mode_left_of_them(
    tmp_path: Path,
) -> None:
    """The bundle names the files' settings, and recorded are those that the engine ran with."""
    config = config_with({"  selected: none": "  selected: conservative"}, tmp_path)
    files = load_settings(config, signal_check=fault_in_signal)
    recorded_session(tmp_path / "run", MARKET, settings=files)

    ran = in_mode(files, StrategyMode.CONSERVATIVE)
    assert ran.digest != files.digest
    for folder in (tmp_path / "run", tmp_path):  # with a recording, and by the files alone
        found = settings_of(bundle(folder, files.digest), config)
        assert content_of(found) == content_of(ran)
    with pytest.raises(NotReplayable, match="wanted c0ffee, with which the session ran"):
        settings_of(bundle(tmp_path, "c0ffee"), config)


def test_settings_that_are_not_those_of_the_session_are_refused(
    recorded: Path, tmp_path: Path
) -> None:
    for folder in (recorded, tmp_path):
        with pytest.raises(NotReplayable, match="wanted c0ffee, with which the session ran"):
            settings_of(bundle(folder, "c0ffee"), SHIPPED)


def test_bars_that_are_not_to_be_had_are_one_kind_of_refusal(tmp_path: Path) -> None:
    for paths in ([], [tmp_path / "AAPL_1m.csv"]):
        with pytest.raises(NotReplayable, match="found no"):
            data_of(bundle(tmp_path, ""), paths, None, tmp_path)
