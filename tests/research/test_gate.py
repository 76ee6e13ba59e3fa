"""The gate: what it takes to be green, and each thing that makes it red."""

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from hydra.ops.artefacts import folder as files
from hydra.ops.artefacts import provenance as origins
from hydra.ops.artefacts.closing import draw_plots
from hydra.ops.artefacts.folder import digests, replace
from hydra.ops.artefacts.reading import NoBundle, provenance_in, report_in
from hydra.ops.artefacts.report import AgainstLedger, as_state
from hydra.ops.artefacts.rows import ORDERS, TRADES, header, rows_in
from hydra.research.gate import (
    GateReport,
    GateTerms,
    NotReplayable,
    SessionBundle,
    bundle_in,
    checked,
)
from hydra.research.gate_files import PAGE, REPORT, as_json, page_of, write_report
from hydra.research.recorded import Difference, NotRecorded, RecordingDamaged, SessionReplay
from hydra.research.replay_data import ReplayData
from hydra.settings import Settings
from hydra.trading.durations import MINUTE
from hydra.trading.inventory import FifoInventory, Lot
from hydra.trading.orders import Side
from hydra.trading.sub_ledgers import BotInventory
from hydra.venues.simulated.market_data import MarketData
from tests.engine.scenery import bars_of, market_of, rising, settings_with, shipped_settings
from tests.research.gated_sessions import NAME, as_data, same, session, which_raises

MARKET = market_of(bars_of(rising(40)))
ALL = GateTerms(lag_minutes=0, window_minutes=600)
"""The whole session counts."""


@pytest.fixture
def played(tmp_path: Path) -> SessionBundle:
    """A session with one trade."""
    return session(tmp_path / NAME, MARKET)


def gated(
    bundle: SessionBundle,
    *,
    terms: GateTerms | None = None,
    settings: Settings | None = None,
    market: MarketData = MARKET,
    recording: SessionReplay | None = None,
    folder: str = "replay",
) -> GateReport:
    return checked(
        bundle,
        terms or ALL,
        settings=lambda: settings or shipped_settings(),
        data=lambda: as_data(market),
        folder=bundle.folder.with_name(folder),
        replays=lambda bundle: recording or same(bundle),
    )


def edited(bundle: SessionBundle, file: str, old: str, new: str) -> SessionBundle:
    """The bundle with another content of a file, and with that content in its provenance."""
    path = bundle.folder / file
    content = path.read_bytes().decode()
    assert old in content
    path.write_bytes(content.replace(old, new).encode())
    provenance = structs.replace(
        bundle.provenance,
        files={**bundle.provenance.files, **digests(bundle.folder, [file])},
    )
    replace(bundle.folder / files.PROVENANCE, origins.encoded(provenance))
    return bundle_in(bundle.folder)


def test_a_session_that_comes_out_the_same_in_both_replays_is_green(played: SessionBundle) -> None:
    report = gated(played)

    assert (report.status, report.reasons) == ("green", ())
    found = report.trades.alignment
    assert found is not None
    assert (found.live_trades, found.residuals, found.differing) == (1, 0, ())
    assert report.recording.messages == 100
    assert report.versions.configuration == shipped_settings().digest


def test_a_session_that_a_replay_of_other_rules_does_not_repeat_is_red(
    played: SessionBundle,
) -> None:
    hasty = tuple(
        bot.model_copy(
            update={"exits": bot.exits.model_copy(update={"take_profit_pct": Decimal("0.2")})}
        )
        for bot in shipped_settings().momentum_bots
    )

    report = gated(played, settings=settings_with({"momentum_bots": hasty}))

    assert report.status == "red"
    assert any(
        reason.startswith("the replay does not have this trade of the session: mom_AAPL buy")
        for reason in report.reasons
    )


def test_trades_of_options_are_left_out_and_counted_as_no_replay_has_them(
    played: SessionBundle,
) -> None:
    content = (played.folder / TRADES).read_bytes().decode()
    option = content.splitlines(keepends=True)[1].replace(",AAPL,", ",AAPL260116C00100000,")
    assert option not in content

    report = gated(edited(played, TRADES, content, content + option))

    assert (report.status, report.reasons, report.trades.of_options) == ("green", (), 1)
    assert "Left out: 1 trades of options" in page_of(report)


@pytest.mark.parametrize(("bridge_is_on", "left_out"), [(True, 1), (False, 0)])
def test_trades_on_signals_from_outside_are_left_out_and_counted_as_no_bar_says_them(
    bridge_is_on: bool, left_out: int, played: SessionBundle
) -> None:
    content = (played.folder / TRADES).read_bytes().decode()
    row = content.splitlines(keepends=True)[1].replace("mom_AAPL,", "signal_bot,", 1)
    assert row not in content
    settings = settings_with({"signalbot.enabled": bridge_is_on})

    report = gated(edited(played, TRADES, content, content + row), settings=settings)

    assert report.trades.of_signals == left_out
    assert report.status == ("green" if left_out else "red")
    assert ("Left out: 1 trades on signals from outside" in page_of(report)) == bool(left_out)


def test_a_trade_of_another_price_is_red_and_shows_both(played: SessionBundle) -> None:
    (trade,) = rows_in(played.folder / TRADES)
    price = trade["exit_price"]
    report = gated(edited(played, TRADES, f",{price},", f",{Decimal(price) + 1},"))

    (reason,) = report.reasons
    assert reason.startswith(f"a trade differs: exit price {Decimal(price) + 1} live, {price} in")


def test_a_trade_that_one_side_alone_has_is_red_unless_residuals_are_let_pass(
    played: SessionBundle,
) -> None:
    content = (played.folder / TRADES).read_bytes().decode()
    bundle = edited(played, TRADES, content, header(TRADES).decode())
    terms = structs.replace(ALL, min_live_trades=0)

    report = gated(bundle, terms=terms)
    (reason,) = report.reasons
    assert reason.startswith("the session does not have this trade of the replay: mom_AAPL")
    assert report.trades.alignment is not None
    assert report.trades.alignment.replayed_only[0].other_side

    lax = gated(bundle, terms=structs.replace(terms, strict_no_residuals=False), folder="again")
    assert lax.status == "green"
    assert lax.trades.alignment is not None
    assert lax.trades.alignment.residuals == 1


def test_too_few_trades_in_the_window_are_red(played: SessionBundle) -> None:
    report = gated(played, terms=GateTerms(lag_minutes=0, window_minutes=1))

    assert report.reasons == (
        "found 0 trades of the session in the window, wanted at least 1: too few to say anything",
    )


def test_the_window_ends_so_long_before_the_session_does(played: SessionBundle) -> None:
    report = gated(played, terms=GateTerms(lag_minutes=7, window_minutes=30, min_live_trades=0))

    found = report.trades.alignment
    assert found is not None
    assert found.end == played.ended_at - 7 * MINUTE
    assert found.start == found.end - 30 * MINUTE


DIFFERENCE = Difference(number=7, at=9, cell="hydra/core", recorded="this", replayed="that")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"difference": DIFFERENCE}, "the recording's replay differs: message 7 at 9"),
        ({"incomplete": "it was full"}, "the recording is not whole: it was full"),
        ({"replayed_hash": "bb"}, "ends in another state: aa recorded, bb replayed"),
        ({"recorded_hash": None, "replayed_hash": None}, "ends in another state: None"),
    ],
)
def test_a_recording_that_does_not_replay_to_the_same_state_is_red(
    played: SessionBundle, changed: dict[str, object], why: str
) -> None:
    report = gated(played, recording=structs.replace(same(played.folder), **changed))

    (reason,) = report.reasons
    assert why in reason
    assert "\n" not in reason


@pytest.mark.parametrize("error", [NotRecorded("no recording"), RecordingDamaged("cut off")])
def test_no_recording_is_red_and_the_trades_are_compared_all_the_same(
    played: SessionBundle, error: Exception
) -> None:
    report = checked(
        played,
        ALL,
        settings=shipped_settings,
        data=lambda: as_data(MARKET),
        folder=played.folder.with_name("replay"),
        replays=which_raises(error),
    )

    assert report.reasons == (f"the recording could not be replayed: {error}",)
    assert report.trades.alignment is not None


def test_a_session_whose_plug_in_is_not_here_is_red_and_says_so(played: SessionBundle) -> None:
    first, *others = shipped_settings().momentum_bots
    signal = first.signal.model_copy(update={"mode": "brought_along"})
    brought = (first.model_copy(update={"signal": signal}), *others)

    report = gated(played, settings=settings_with({"momentum_bots": brought}))

    (reason,) = report.reasons
    assert reason.startswith("the trades could not be compared: found brought_along, no such")


def test_a_session_without_its_bars_is_red(played: SessionBundle) -> None:
    def no_data() -> ReplayData:
        raise NotReplayable("found no such file")

    report = checked(
        played,
        GateTerms(),
        settings=shipped_settings,
        data=no_data,
        folder=played.folder.with_name("replay"),
        replays=same,
    )

    assert report.reasons == ("the trades could not be compared: found no such file",)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"ended_wall_at": None}, "the session has not ended in order"),
        ({"exit_code": None}, "the session did not end in order"),
        ({"exit_code": 20, "how_it_ended": "failed closed"}, "in order: failed closed"),
    ],
)
def test_a_session_that_did_not_end_in_order_is_red(
    played: SessionBundle, changed: dict[str, object], why: str
) -> None:
    provenance = structs.replace(played.provenance, **changed)
    replace(played.folder / files.PROVENANCE, origins.encoded(provenance))

    assert any(why in fault for fault in bundle_in(played.folder).faults)


def test_tables_that_were_changed_after_the_session_are_red(played: SessionBundle) -> None:
    path = played.folder / ORDERS
    path.write_text(path.read_text() + " ")

    assert bundle_in(played.folder).faults == (
        "orders.csv is not what the session was closed with: somebody has changed it since",
    )


def test_plots_that_are_drawn_later_hide_nothing_that_was_changed(
    played: SessionBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn(folder: Path) -> tuple[str, ...]:
        for name in files.PLOTS:
            (folder / name).write_text("<svg/>")
        return files.PLOTS

    monkeypatch.setattr("hydra.ops.artefacts.closing.plots_made", drawn)
    path = played.folder / TRADES
    path.write_text(path.read_text().replace(",buy,", ",sell,"))

    draw_plots(played.folder)

    assert bundle_in(played.folder).faults == (
        "trades.csv is not what the session was closed with: somebody has changed it since",
    )
    named = provenance_in(played.folder).files
    assert set(files.PLOTS) <= set(named)
    assert named[files.PAGE] == files.digests(played.folder, [files.PAGE])[files.PAGE]


def test_a_table_that_is_gone_is_red(played: SessionBundle) -> None:
    (played.folder / TRADES).unlink()

    assert bundle_in(played.folder).faults == (
        "trades.csv is not what the session was closed with: somebody has changed it since",
    )


def test_a_bundle_that_does_not_agree_with_the_ledger_is_red(played: SessionBundle) -> None:
    report = report_in(played.folder)
    against = AgainstLedger(agrees=False, found=("two orders here, three there",))
    state = as_state(structs.replace(report, ledger=against))
    replace(played.folder / files.STATE, state)

    assert bundle_in(played.folder).faults == (
        "the session's bundle does not agree with its ledger: two orders here, three there",
    )


def test_a_session_whose_story_has_no_beginning_is_red(played: SessionBundle) -> None:
    seq = f'"ledger_seq":{played.opening.ledger_seq}'

    bundle = edited(played, files.STORY, seq, '"ledger_seq":0')

    assert bundle.faults == (
        "the session's story has no beginning, so nobody knows what it began with",
    )


def test_a_session_that_began_with_a_position_is_red(played: SessionBundle) -> None:
    lot = Lot(
        side=Side.BUY,
        quantity=Decimal(9),
        price=Decimal(100),
        opened_at=1,
        execution_id="x",
    )
    held = BotInventory("mom_AAPL", FifoInventory(symbol="AAPL", lots=(lot,)))
    content = msgspec.json.encode(held).decode()

    bundle = edited(played, files.STORY, '"held":[]', f'"held":[{content}]')

    (fault,) = bundle.faults
    assert fault.startswith("the session began with 1 positions and 0 open orders")


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoBundle, match="this is no session's bundle"):
        bundle_in(tmp_path)


def test_the_report_is_the_same_bytes_for_the_same_finding_and_readable(
    played: SessionBundle, tmp_path: Path
) -> None:
    report = gated(played, recording=structs.replace(same(played.folder), difference=DIFFERENCE))
    write_report(tmp_path, report)

    assert (tmp_path / REPORT).read_bytes() == as_json(report)
    assert msgspec.json.decode(as_json(report), type=GateReport) == report
    page = (tmp_path / PAGE).read_text()
    assert page.startswith("# Replay gate: red\n")
    assert "      recorded: this\n      replayed: that\n" in page
    assert "| mom_AAPL | AAPL | " in page
