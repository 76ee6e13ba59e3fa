"""`venue serve`: the market, the account and the keys put together, and served."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import re
import secrets
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from hydra.crash_points import NoSuchCrashPoint, arm_from
from hydra.ops.exit_codes import ExitCode
from hydra.ops.venue.in_step import InStep
from hydra.ops.venue.pipe import GO, ClockTold, MarketOver, Ready, through_in
from hydra.runtime.clock import machine_time
from hydra.venues.bar_rows import BadData
from hydra.venues.loopback import CannotServe
from hydra.venues.simulated.market.chain_file import read_chain
from hydra.venues.simulated.market.events import MarketEnded, TapeEvent
from hydra.venues.simulated.market.tape import Tape, open_tape
from hydra.venues.simulated.market_data import from_path, generated
from hydra.venues.simulated.request_log import SealedFile, VenueLogFailed, VenueLogRefused
from hydra.venues.simulated.server.app import AppTerms
from hydra.venues.simulated.server.driver import LocalVenue
from hydra.venues.simulated.server.log_lines import ACCOUNT_LOG, FORMAT, VenueLine
from hydra.venues.simulated.server.rebuild import (
    ClockTerms,
    Source,
    VenueTerms,
    open_venue,
    terms_of,
)
from hydra.venues.simulated.server.rest.keys import ApiKeys
from hydra.venues.simulated.server.rest.settings import DataPlan, RestTerms
from hydra.venues.simulated.server.serve import serve

LOCK_NAME = "venue.lock"
PREDECESSOR_ENDS_WITHIN_S = 5.0
WORD_LENGTH_MAX = 64
"""Of a line that the parent says."""
LOOK_EVERY_S = 0.02
KEY_PREFIX = "HYDRA"
"""A key of this venue's own begins so, and so can never pass for one of a real account."""
_LIKE_A_REAL_KEY = re.compile(r"(PK|AK)[A-Z0-9]{16,}", re.ASCII)


class Refused(Exception):
    """It cannot be served. One line: what was found, what is wanted, what to do."""

    def __init__(self, words: str, code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(words)
        self.code = code


class VenueOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked on the command line. `speed` 0: virtual time."""

    port: int = 0
    data: Path | None = None
    chains: tuple[Path, ...] = ()
    symbols: tuple[str, ...] = ()
    speed: float = 1.0
    seed: int = 0
    skip_nights: bool = False
    key: str | None = None
    secret: str | None = None
    admin_token: str | None = None
    state_dir: Path | None = None
    plan: str = DataPlan.PLUS.value
    exit_with_parent: bool = False
    start_on_go: bool = False
    in_step: bool = False
    cache_dir: Path | None = None


def serve_venue(options: VenueOptions) -> int:
    """Until it is stopped. Gives the exit code; what is refused is one line on standard error."""
    try:
        arm_from(os.environ)
        # One whose parent was killed may still be on its way out.
        patience_s = PREDECESSOR_ENDS_WITHIN_S if options.exit_with_parent else 0.0
        with _folder_of(options.state_dir, patience_s):
            _serve(options)
    except Refused as refused:
        return _refuse(str(refused), refused.code)
    except (BadData, CannotServe, NoSuchCrashPoint) as bad:
        return _refuse(str(bad), ExitCode.USAGE)
    except (VenueLogRefused, VenueLogFailed) as bad:
        return _refuse(str(bad), ExitCode.DURABILITY_REFUSED)
    except OSError as error:
        place = error.filename or options.state_dir or options.data
        return _refuse(f"{place}: {error.strerror or error}", ExitCode.DURABILITY_REFUSED)
    return int(ExitCode.CLEAN)


def keys_of(options: VenueOptions, environment: Mapping[str, str]) -> tuple[ApiKeys, bool]:
    """The pair that clients must send, and whether it was made up here. Raises `Refused`.

    The environment goes first: an argument is seen by every user of the machine.
    """
    key = environment.get("ALPACA_KEY") or options.key
    secret = environment.get("ALPACA_SECRET") or options.secret
    if not key and not secret:
        return ApiKeys(f"{KEY_PREFIX}{secrets.token_hex(8)}", secrets.token_hex(16)), True
    if not key or not secret:
        missing = "ALPACA_SECRET" if key else "ALPACA_KEY"
        raise Refused(f"found no {missing}; wanted key and secret, or neither to have them made up")
    if _LIKE_A_REAL_KEY.fullmatch(key):
        raise Refused(
            f"the key id begins with {key[:2]} and is as long as of a real account; wanted one of"
            f" this venue's own, such as {KEY_PREFIX}1: give another, or unset ALPACA_KEY and"
            " ALPACA_SECRET"
        )
    return ApiKeys(key, secret), False


def _serve(options: VenueOptions) -> None:
    if options.start_on_go and not options.exit_with_parent:
        raise Refused("--start-on-go: found no --exit-with-parent; wanted both: a parent says go")
    if options.in_step and not options.exit_with_parent:
        raise Refused("--in-step: found no --exit-with-parent; wanted both: a parent is waited for")
    keys, are_made_up = keys_of(options, os.environ)
    market = _market(options)
    with _log_of(options.state_dir) as log:
        venue = open_venue(
            log,
            market.tape,
            market.source,
            market.terms,
            ClockTerms(
                speed=0.0 if options.start_on_go else options.speed,
                skips_nights=options.skip_nights,
            ),
            machine_time=machine_time,
            wall_clock=time.time_ns,
        )

        def ready(address: str) -> None:
            _say(str(Ready(address)))
            if options.exit_with_parent:
                _tell_the_parent(venue)
            if are_made_up:
                _say(f"key {keys.key_id} secret {keys.secret}")
            _say(f"EMBEDDED VENUE, NOT REAL MONEY, NOT REAL PRICES: {market.source.origin}")

        asyncio.run(_serve_until_stopped(venue, _app_terms(options, keys), options, ready))


def _app_terms(options: VenueOptions, keys: ApiKeys) -> AppTerms:
    # In virtual time a minute may never end, and with it the budget of requests in it.
    limit = RestTerms().trading_per_minute if options.speed else None
    return AppTerms(
        keys=keys,
        rest=RestTerms(
            trading_per_minute=limit, data_per_minute=limit, plan=DataPlan(options.plan)
        ),
        admin_token=os.environ.get("HYDRA_VENUE_ADMIN_TOKEN") or options.admin_token,
    )


async def _serve_until_stopped(
    venue: LocalVenue, terms: AppTerms, options: VenueOptions, ready: Callable[[str], None]
) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if options.exit_with_parent:
        _obey_parent(sys.stdin.fileno(), loop, stop, _words_of_the_parent(venue, options))
    await serve(venue, terms, port=options.port, ready=ready, stop=stop)


def _words_of_the_parent(venue: LocalVenue, options: VenueOptions) -> Callable[[str], None]:
    """What is done at each line that the parent says; one that is no word of ours is left alone."""

    async def frames_out() -> int:
        return await venue.frames_out()  # which it is given once it is served

    step = InStep(frames_out, _say)
    if options.in_step:
        venue.follower = step

    def hear(line: str) -> None:
        if line == GO:
            if options.start_on_go and not venue.speed:
                venue.run_at(options.speed)
        elif (told := through_in(line)) is not None:
            step.hear(told)

    return hear


def _tell_the_parent(venue: LocalVenue) -> None:
    """How the clock runs, now and whenever it changes, and when the market is over."""

    def heard(event: TapeEvent) -> None:
        if isinstance(event, MarketEnded):
            _say(str(MarketOver(event.at)))

    venue.on_clock(lambda *told: _say(str(ClockTold(*told))))
    venue.on_market(heard)
    if venue.is_over:
        _say(str(MarketOver(venue.now())))


def _obey_parent(
    descriptor: int,
    loop: asyncio.AbstractEventLoop,
    stop: asyncio.Event,
    hear: Callable[[str], None],
) -> None:
    """A parent that dies, however it dies, closes its end of the pipe."""
    kind = os.fstat(descriptor).st_mode
    if not (stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind)):
        raise Refused(
            "--exit-with-parent: standard input is no pipe; start it from a parent that holds the"
            " other end of one, or leave the option out"
        )

    heard = bytearray()

    def look() -> None:
        said = os.read(descriptor, 1 << 16)
        if not said:
            loop.remove_reader(descriptor)
            stop.set()
            return
        heard.extend(said)
        *lines, rest = heard.split(b"\n")
        heard[:] = rest[-WORD_LENGTH_MAX:]  # of what is no word of ours, nothing is kept
        for line in lines:
            hear(line.decode("ascii", errors="replace"))

    loop.add_reader(descriptor, look)


class _Market(msgspec.Struct, frozen=True):
    tape: Tape
    source: Source
    terms: VenueTerms


def _market(options: VenueOptions) -> _Market:
    cache = options.cache_dir
    if cache is None and options.state_dir is not None:
        cache = options.state_dir / "cache"
    if options.data is not None:
        data = from_path(options.data, cache)
    elif options.symbols:
        data = generated(options.symbols, options.seed, cache)
    else:
        raise Refused("--symbols: found none; wanted at least one to generate, or --data")
    terms = terms_of(data, options.seed)
    tape = open_tape(data, terms.market, cache)
    source = Source(origin=data.origin, digest=data.digest)
    if not options.chains:
        return _Market(tape, source, terms)
    chain = read_chain(options.chains, tape.sessions)
    names = ", ".join(path.name for path in options.chains)
    files = hashlib.blake2b(digest_size=16)
    for path in options.chains:
        files.update(path.read_bytes())
    return _Market(
        Tape(data, tape.sessions, terms.market, {chain.underlying: chain}),
        Source(
            origin=f"{data.origin}; real option quotes of {names}",
            digest=f"{data.digest}+{files.hexdigest()}",
        ),
        terms,
    )


@contextmanager
def _log_of(state_dir: Path | None) -> Iterator[SealedFile[VenueLine] | None]:
    if state_dir is None:
        yield None
        return
    log = SealedFile.of(state_dir / ACCOUNT_LOG, FORMAT)
    try:
        yield log
    finally:
        log.close()


@contextmanager
def _folder_of(state_dir: Path | None, patience_s: float) -> Iterator[None]:
    """Two processes that served one account would each make another of it."""
    if state_dir is None:
        yield
        return
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(state_dir / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        give_up_at = time.monotonic() + patience_s
        while not _is_locked(descriptor):
            if time.monotonic() >= give_up_at:
                raise Refused(
                    f"{state_dir}: another process serves this venue; stop it, or use another"
                    " folder",
                    ExitCode.HELD_BY_ANOTHER,
                )
            time.sleep(LOOK_EVERY_S)  # a lock cannot be waited for with a deadline
        yield
    finally:
        os.close(descriptor)


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _refuse(text: str, code: ExitCode) -> int:
    sys.stderr.write(f"{text}\n")
    return int(code)
