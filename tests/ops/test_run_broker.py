"""A run on the broker's account: a venue behind TLS that goes by Alpaca's names, in wall time."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import certifi
import pytest

from hydra.ops import broker_facts
from hydra.ops.at_rest.account import account_at_rest
from hydra.ops.at_rest.engine import engine_at_rest
from hydra.ops.broker_account import NoAccount
from hydra.ops.exit_codes import ExitCode
from hydra.ops.preflight import look_at
from hydra.ops.run_broker import run_broker
from hydra.ops.session import RunOptions
from hydra.runtime.clock import machine_time
from hydra.settings import Settings
from hydra.settings.live_section import LiveProfile
from hydra.settings.outside_sections import PluginBotSettings
from hydra.settings.secret import Secret
from hydra.settings.section import VenueName
from hydra.store.engine_files import EngineFiles
from hydra.store.journal import read_journal
from hydra.store.record import EngineRecord, Owner
from hydra.store.redaction import Redactor
from hydra.trading.bars import Bar
from hydra.trading.causes import DAILY_LOSS
from hydra.trading.durations import HOUR, MINUTE, SECOND
from hydra.trading.local_time import new_york_date
from hydra.trading.sessions import SessionTable
from hydra.trading.trading_state import Cause, CauseClass
from hydra.venues import market_sessions
from hydra.venues.alpaca.access import PAPER, Access, addresses_of
from hydra.venues.alpaca.network import Network
from hydra.venues.market_sessions import round_the_clock_sessions
from hydra.venues.simulated.brokerage.brokerage import Brokerage
from hydra.venues.simulated.brokerage.terms import BrokerageTerms
from hydra.venues.simulated.market.tape import Tape
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.server.app import AppTerms
from hydra.venues.simulated.server.clock import VenueClock
from hydra.venues.simulated.server.driver import LocalVenue
from hydra.venues.simulated.server.rest.keys import ApiKeys
from tests.certifying.bots import bring_bots
from tests.engine.scenery import settings_with
from tests.venues.server.kit import FREE, nothing_left, served

KEY, SECRET = "PKA1B2C3D4E5F6G7H8J9", "a-secret-of-this-test-alone"
LIVE_KEY = "AKA1B2C3D4E5F6G7H8J9"
PATIENCE_S = 60.0
HOSTS = (
    *("paper-api.alpaca.markets", "data.alpaca.markets", "stream.data.alpaca.markets"),
    "api.alpaca.markets",
)

LOSS = DAILY_LOSS.cause(since=1_700_000_000_000_000_000, detail="1 percent")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of nobody's for the broker's names, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    made = folder / "certificate.pem", folder / "key.pem"
    names = ",".join(f"DNS:{host}" for host in HOSTS)
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=nobody", "-addext"]
    command += [f"subjectAltName={names}", "-out", str(made[0]), "-keyout", str(made[1])]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=30)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no openssl that could make a certificate: {error}")
    return made


def venue_of_now(account: str, symbols: tuple[str, ...]) -> LocalVenue:
    """These since a quarter of an hour ago, and for two hours more, by the wall clock."""
    now = time.time_ns()
    first = now // MINUTE * MINUTE - 15 * MINUTE
    bars = tuple(
        Bar(symbol, start, start + MINUTE, price, price + 2.0, price - 2.0, price + 1.0, 4.0)
        for start, price in (
            (first + number * MINUTE, 60_000.0 + number) for number in range(2 * HOUR // MINUTE)
        )
        for symbol in symbols
    )
    day = time.strftime("%Y-%m-%d", time.gmtime((first - 24 * HOUR) // SECOND))
    morrow = time.strftime("%Y-%m-%d", time.gmtime((first + 48 * HOUR) // SECOND))
    sessions = round_the_clock_sessions(day, morrow)
    data = MarketData(bars=bars, sessions=sessions, symbols=symbols, origin="made up")
    tape = Tape(data, sessions)
    venue = LocalVenue(
        tape,
        Brokerage(BrokerageTerms(account_number=account), tape),
        VenueClock(now, 1.0, machine_time),
        wall_clock=time.time_ns,
    )
    venue.come_to(now)
    return venue


@contextmanager
def behind_tls(
    account: str,
    certificate: tuple[Path, Path],
    clock_ahead: int = 0,
    symbols: tuple[str, ...] = ("BTC/USD",),
    key: str = KEY,
) -> Iterator[int]:
    """That venue on a port of this machine, encrypted; gives the port. `clock_ahead` (ns): its."""
    ready: list[tuple[int, Callable[[], object]]] = []
    begun = threading.Event()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    async def serve() -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        terms = AppTerms(keys=ApiKeys(key, SECRET), rest=FREE)
        venue = venue_of_now(account, symbols)
        venue.skew_clock(clock_ahead)
        async with served(venue, terms) as plain:

            def for_here(data: bytes) -> bytes:
                # It answers to names of this machine only, and is right to.
                for host in HOSTS:
                    data = data.replace(f"Host: {host}".encode(), b"Host: 127.0.0.1")
                return data

            async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                socket_below = writer.transport
                try:
                    await writer.start_tls(context)
                    near = await asyncio.open_connection("127.0.0.1", plain)
                    await asyncio.gather(
                        _copy(reader, near[1], for_here), _copy(near[0], writer, bytes)
                    )
                except OSError:
                    pass  # the client is gone
                finally:
                    # A close in TLS waits for the other end's, which may be gone without one.
                    socket_below.abort()

            server = await asyncio.start_server(pipe, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            ready.append((port, lambda: loop.call_soon_threadsafe(stop.set)))
            begun.set()
            await stop.wait()
            server.close()
        await nothing_left()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert begun.wait(PATIENCE_S)
    ((port, stop),) = ready
    try:
        yield port
    finally:
        stop()
        thread.join(PATIENCE_S)


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, said: Callable[[bytes], bytes]
) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(said(data))
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


class Heard(io.StringIO):
    """What the run says; a signal goes out once it has said something."""

    def __init__(self, then: Callable[[str], bool]) -> None:
        super().__init__()
        self._then = then

    def write(self, text: str) -> int:
        if self._then(text):
            os.kill(os.getpid(), signal.SIGTERM)
        return super().write(text)


def settings_of_coins(venue: VenueName) -> Settings:
    alone = {"momentum_bots": (), "optionsbot.enabled": False}
    micro = {"live.profile": LiveProfile.MICRO}
    return settings_with({**alone, **micro, "broker.venue": venue})


def paper_run(
    folder: Path,
    resolve: Callable[[str, int], list[tuple[int, tuple[str, int]]]],
    out: Heard,
    settings: Settings | None = None,
    venue: VenueName = VenueName.PAPER,
    key: str = KEY,
) -> int:
    network = Network(loopback_only=False, resolve=resolve)
    return run_broker(
        settings_of_coins(venue) if settings is None else settings,
        Access(addresses_of(venue), Secret(key), Secret(SECRET), network),
        EngineFiles.under(folder / "state", folder / "logs", "trading_state.db", "app.jsonl"),
        RunOptions(seed=0, speed=1.0, dry_run=False),
        out,
        Redactor((KEY, SECRET)),
    )


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_paper_account_is_traded_on_until_a_signal_i82(
    tmp_path: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certifi, "where", lambda: str(certificate[0]))
    asked: set[str] = set()

    with behind_tls("PA3NOBODYS01", certificate) as port:

        def resolve(host: str, _port: int) -> list[tuple[int, tuple[str, int]]]:
            asked.add(host)
            return [(socket.AF_INET, ("127.0.0.1", port))]

        def is_trading(text: str) -> bool:
            return "ACTIVE" in text

        out = Heard(is_trading)
        code = paper_run(tmp_path, resolve, out)

    said = out.getvalue()
    assert code == ExitCode.CLEAN, said
    assert said.startswith("PAPER: Alpaca's practice account, not real money\n"), said
    assert "account PA3NOBODYS01; market: Alpaca, paper, minute bars; it is open\n" in said
    assert "not traded: ETH/USD: Alpaca does not know it; correct its name in bots.yaml" in said
    assert {HOSTS[0], HOSTS[2]} <= asked <= set(HOSTS)
    records = list(read_journal(tmp_path / "logs" / "app.jsonl"))
    assert "preflight_passed" in [record["event"] for record in records]
    assert SECRET not in (tmp_path / "logs" / "app.jsonl").read_text()


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("asks", [True, False])
def test_splits_are_asked_for_unless_the_settings_have_nobody_asked(
    asks: bool, tmp_path: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certifi, "where", lambda: str(certificate[0]))
    changed = {"optionsbot.enabled": False, "broker.corporate_actions": asks}
    settings = settings_with({**changed, "broker.venue": VenueName.PAPER})

    with behind_tls("PA3NOBODYS01", certificate, symbols=("AAPL", "BTC/USD")) as port:
        address = ("127.0.0.1", port)
        out = Heard(lambda text: "bars, holding" in text)  # as it goes on
        paper_run(tmp_path, lambda *_: [(socket.AF_INET, address)], out, settings)

    events = [record["event"] for record in read_journal(tmp_path / "logs" / "app.jsonl")]
    assert "preflight_passed" in events
    assert ("corporate_actions_known" in events) is asks


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_broker_that_keeps_the_days_of_shares_otherwise_is_told_at_the_start_i43(
    tmp_path: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """This one never closes."""
    monkeypatch.setattr(certifi, "where", lambda: str(certificate[0]))
    settings = settings_with({"optionsbot.enabled": False, "broker.venue": VenueName.PAPER})

    with behind_tls("PA3NOBODYS01", certificate, symbols=("AAPL", "BTC/USD")) as port:
        out = Heard(lambda text: " CLOSE_ONLY" in text)  # as it goes on
        address = ("127.0.0.1", port)
        paper_run(tmp_path, lambda *_: [(socket.AF_INET, address)], out, settings)

    today = new_york_date(time.time_ns()).isoformat()
    assert f"ALARM: {today}: the venue's is " in out.getvalue()
    records = list(read_journal(tmp_path / "logs" / "app.jsonl"))
    events = [record["event"] for record in records]
    assert "preflight_passed" in events
    assert "calendar_parted" in events
    assert f"trading is CLOSE_ONLY: {today}: the venue's is " in out.getvalue()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_bot_without_a_certificate_is_closed_on_paper_and_the_engine_trades_on(
    tmp_path: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certifi, "where", lambda: str(certificate[0]))
    (tmp_path / "site").mkdir()
    bring_bots(tmp_path / "site", monkeypatch)
    bot = PluginBotSettings.model_validate(
        {
            "bot_id": "dip",
            "enabled": True,
            "kind": "fine",
            "bucket": "crypto",
            "symbols": ("AAPL",),
            "session": {"trade_start": "06:35", "trade_end": "12:00", "manage_until": "12:50"},
            "execution": {"default_notional_usd": Decimal(500)},
            "params": MappingProxyType({}),
        }
    ).model_copy(update={"symbols": ("BTC/USD",)})  # which is what this venue has
    settings = settings_of_coins(VenueName.PAPER).model_copy(update={"plugin_bots": (bot,)})

    with behind_tls("PA3NOBODYS01", certificate) as port:

        def resolve(_host: str, _port: int) -> list[tuple[int, tuple[str, int]]]:
            return [(socket.AF_INET, ("127.0.0.1", port))]

        out = Heard(lambda text: "ACTIVE" in text)
        code = paper_run(tmp_path, resolve, out, settings)

    said = out.getvalue()
    assert code == ExitCode.CLEAN, said
    why = "found no certificate; run `hydra-trader certify fine`, then start again"
    assert f"\nALARM: dip enters nothing: {why}\n" in said
    assert "bots: crypto_core, dip\n" in said
    told = (path.read_text() for path in (tmp_path / "state" / "surfaces").glob("*.json"))
    assert "bot_uncertified:dip" in "".join(told)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("while_it", ["reads what the broker trades", "says what it will run"])
def test_a_signal_of_the_time_before_the_actors_stops_the_run_in_order_i76(
    while_it: str,
    tmp_path: Path,
    certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(certifi, "where", lambda: str(certificate[0]))

    def sessions_of(*arguments: Any) -> SessionTable:
        if while_it == "reads what the broker trades":
            os.kill(os.getpid(), signal.SIGTERM)
        return market_sessions.sessions_of(*arguments)

    def is_saying(text: str) -> bool:
        # Else it would go on for ever.
        return "ACTIVE" in text or (while_it == "says what it will run" and "PAPER" in text)

    monkeypatch.setattr(broker_facts, "sessions_of", sessions_of)
    with behind_tls("PA3NOBODYS01", certificate) as port:

        def resolve(_host: str, _port: int) -> list[tuple[int, tuple[str, int]]]:
            return [(socket.AF_INET, ("127.0.0.1", port))]

        out = Heard(is_saying)
        code = paper_run(tmp_path, resolve, out)

    assert code == ExitCode.CLEAN, out.getvalue()
    assert "ACTIVE" not in out.getvalue()
    records = list(read_journal(tmp_path / "logs" / "app.jsonl"))
    assert records[-1]["event"] == "engine_stopped"
    assert "preflight_passed" not in [record["event"] for record in records]


@pytest.mark.timeout(120)
def test_the_first_contact_looks_at_rest_and_both_streams_and_writes_nothing_i82(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certifi, "where", lambda: str(certificate[0]))

    with behind_tls("PA3NOBODYS01", certificate) as port:
        network = Network(
            loopback_only=False,
            resolve=lambda _host, _port: [(socket.AF_INET, ("127.0.0.1", port))],
        )
        access = Access(PAPER, Secret(KEY), Secret(SECRET), network)
        found = look_at(
            access, VenueName.PAPER, bound_account="PA3OTHERS001", share="SPY", trades_crypto=False
        )
        access.close()

    assert [(each.name, each.passed) for each in found] == [
        ("account", True),
        ("identity", False),  # the state folder is of another account
        ("may trade", True),
        ("clock", True),
        ("calendar", False),  # this venue has no shares, and trades round the clock
        ("asset", False),
        ("quote", False),
        ("corporate actions", True),
        ("trading stream", True),
        ("price stream", True),
    ]


def test_an_account_of_another_kind_is_refused_before_anything_is_traded_i82(
    tmp_path: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certifi, "where", lambda: str(certificate[0]))

    with behind_tls("391234567", certificate) as port, pytest.raises(NoAccount) as refused:
        paper_run(
            tmp_path,
            lambda _host, _port: [(socket.AF_INET, ("127.0.0.1", port))],
            Heard(lambda _: False),
        )

    assert refused.value.code is ExitCode.PAPER_LIVE_MISMATCH
    assert str(refused.value) == (
        "venue paper, account 391234567: the account is one of live; use the keys, address and"
        " state folder of one account"
    )


@pytest.mark.parametrize("seconds", [-90, 90])
def test_a_broker_whose_clock_is_another_is_refused_before_anything_is_traded_i48(
    seconds: int,
    tmp_path: Path,
    certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(certifi, "where", lambda: str(certificate[0]))

    with (
        behind_tls("PA3NOBODYS01", certificate, seconds * SECOND) as port,
        pytest.raises(NoAccount, match=r"at most 2\.000 s allowed; see to the machine's clock"),
    ):
        paper_run(
            tmp_path,
            lambda _host, _port: [(socket.AF_INET, ("127.0.0.1", port))],
            Heard(lambda _: False),
        )


def without_bots(venue: VenueName = VenueName.PAPER) -> Settings:
    return settings_with(
        {
            "momentum_bots": (),
            "optionsbot.enabled": False,
            "cryptobot.enabled": False,
            "broker.venue": venue,
        }
    )


def test_a_run_of_no_bots_says_that_there_are_none(
    tmp_path: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certifi, "where", lambda: str(certificate[0]))

    with behind_tls("PA3NOBODYS01", certificate) as port, pytest.raises(NoAccount) as refused:
        paper_run(
            tmp_path,
            lambda _host, _port: [(socket.AF_INET, ("127.0.0.1", port))],
            Heard(lambda _: False),
            without_bots(),
        )

    assert refused.value.code is ExitCode.CONFIGURATION_REFUSED
    assert str(refused.value) == (
        "no bot is enabled, so there is nothing to trade; set enabled: true for one in bots.yaml"
    )


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("venue", "number", "words"),
    [
        (VenueName.PAPER, "PA3NOBODYS01", {"ALPACA_PAPER": "true", "ALPACA_KEY": KEY}),
        pytest.param(  # though no start may trade there: live.profile is off, as it is shipped
            VenueName.LIVE,
            "391234567",
            {"ALPACA_PAPER": "false", "ALPACA_KEY": LIVE_KEY, "HYDRA_LIVE": "yes-real-money"},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_the_account_is_flattened_and_compared_at_rest_where_no_bot_is_enabled_i12(
    tmp_path: Path,
    certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    venue: VenueName,
    number: str,
    words: dict[str, str],
) -> None:
    """Whoever switches all bots off, or has one on what the broker trades no more, wants out."""
    settings = without_bots(venue)
    monkeypatch.setattr(certifi, "where", lambda: str(certificate[0]))
    monkeypatch.chdir(tmp_path)  # nobody's .env is there
    files = EngineFiles.under(
        tmp_path / "state", tmp_path / "logs", "trading_state.db", "app.jsonl"
    )
    environ = {**words, "ALPACA_SECRET": SECRET, "LIVE_DISABLE_NETWORK": "0"}

    with behind_tls(number, certificate, key=words["ALPACA_KEY"]) as port:
        monkeypatch.setattr(
            "hydra.venues.alpaca.network._look_up",
            lambda _host, _port: [(socket.AF_INET, ("127.0.0.1", port))],
        )
        files.ledger.parent.mkdir(mode=0o700)
        files.ledger.touch(mode=0o600)  # an engine was here
        account = account_at_rest(files, settings, None, environ, say=pytest.fail)
        files.ledger.unlink()
        with engine_at_rest(files, settings, account, "somebody", "flatten") as engine:
            engine.call("flatten", reason="a test", pause="halted")
            told = engine.call("flatten-progress")
            until = time.monotonic() + PATIENCE_S
            while told["phase"] not in ("flat", "failed") and time.monotonic() < until:
                engine.wait(0.05)
                told = engine.call("flatten-progress")

    assert told["phase"] == "flat", told


def test_a_broker_that_cannot_be_reached_is_waited_for_until_a_signal(tmp_path: Path) -> None:
    out = Heard(lambda text: "trying again" in text)

    code = paper_run(tmp_path, lambda _host, _port: [], out)

    assert code == ExitCode.CLEAN
    told, report = out.getvalue().splitlines()
    assert told == (
        "venue paper: GET /v2/account: cannot connect: there is no address of"
        " paper-api.alpaca.markets; trying again until it answers"
    )
    assert report.startswith(f"report: {tmp_path}/state/runs/")
    events = [record["event"] for record in read_journal(tmp_path / "logs" / "app.jsonl")]
    assert events == ["engine_started", "engine_stopped"]


@contextmanager
def mute_behind_tls(certificate: tuple[Path, Path], asked: Callable[[], None]) -> Iterator[int]:
    """A broker that takes requests and answers none; gives its port. `asked` is called at each."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    plain = listening.accept()[0]
                    with context.wrap_socket(plain, server_side=True) as taken:
                        while taken.recv(65536):
                            asked()

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]


@pytest.mark.timeout(60)
def test_a_broker_that_does_not_answer_holds_up_no_stop_i76(
    tmp_path: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certifi, "where", lambda: str(certificate[0]))
    signaled_at: list[float] = []

    def stop() -> None:
        signaled_at.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGTERM)

    with mute_behind_tls(certificate, stop) as port:

        def resolve(_host: str, _port: int) -> list[tuple[int, tuple[str, int]]]:
            return [(socket.AF_INET, ("127.0.0.1", port))]

        out = Heard(lambda _: False)
        code = paper_run(tmp_path, resolve, out)
        took_s = time.monotonic() - signaled_at[0]

    assert (code, len(signaled_at)) == (ExitCode.CLEAN, 1), out.getvalue()
    assert took_s < 5.0  # a report is part of it
    assert out.getvalue().startswith("report: ")
    records = list(read_journal(tmp_path / "logs" / "app.jsonl"))
    assert records[-1]["event"] == "engine_stopped"


@pytest.mark.parametrize(
    ("venue", "standing", "left"),
    [
        (VenueName.PAPER, (), set()),
        (VenueName.PAPER, (LOSS,), {"daily_loss", "unclean_end_when_stopped"}),
        (VenueName.LIVE, (), {"unclean_end"}),
    ],
)
def test_how_the_engine_before_ended_is_not_lost_by_a_stop_in_order_i03(
    tmp_path: Path, venue: VenueName, standing: tuple[Cause, ...], left: set[str]
) -> None:
    files = EngineFiles.under(
        tmp_path / "state", tmp_path / "logs", "trading_state.db", "app.jsonl"
    )
    owner = Owner(venue=venue.value, account=None, version="0.1.0", configuration="", at=LOSS.since)
    record = EngineRecord.open(files, owner)
    for cause in standing:
        record.ledger.latch_halt(cause, LOSS.since)
    record.ledger.commit()
    record.close()  # as upon kill -9

    paper_run(
        tmp_path, lambda _host, _port: [], Heard(lambda text: "trying again" in text), venue=venue
    )

    record = EngineRecord.open(files, owner)
    try:
        assert not record.ended_unclean
        assert {cause.code for cause in record.standing} == left
        assert {cause.cause_class for cause in record.standing} <= {
            CauseClass.LIMIT,
            CauseClass.INTEGRITY,
        }
    finally:
        record.close()
