"""The bundle of a run: begun with it, written while it goes on, closed when it has ended."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TextIO, cast

from hydra import __version__
from hydra.ops.artefacts import folder as files
from hydra.ops.artefacts import provenance as origins
from hydra.ops.artefacts.closing import Ending, close_bundle
from hydra.ops.artefacts.left_ones import left_open_in, words_for
from hydra.ops.artefacts.opening import opening_of
from hydra.ops.artefacts.provenance import Provenance, RunFacts, Window
from hydra.ops.artefacts.transcript import Transcript
from hydra.ops.artefacts.unhurt import Unhurt
from hydra.ops.artefacts.writing import BundleWriter, Following
from hydra.ops.broker_account import NoAccount
from hydra.ops.ending import LastResort
from hydra.ops.exit_codes import ExitCode
from hydra.ops.session import RunOptions
from hydra.plugins import plugins_in_use
from hydra.runtime.life import in_words
from hydra.settings import Settings
from hydra.store.engine_files import EngineFiles
from hydra.store.folder_lock import held_alone
from hydra.store.record import EngineRecord
from hydra.store.redaction import Redactor
from hydra.trading.local_time import new_york_date
from hydra.venues.simulated.market_data import MarketData

STOPS_WITHIN_S = 2.0
CLOSED_WITHIN_S = 600.0
"""A process that closes bundles for longer than this is stuck."""


class SessionBundle:
    """What a run has to do with its bundle: say things through `out`, and tell how it ended."""

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self.folder: Path | None = None
        """None: it could not be made, and the run goes on without one."""
        self.ending: Ending | None = None

    @property
    def page(self) -> Path | None:
        """The report, once there is one."""
        if self.folder is None or not (self.folder / files.PAGE).exists():
            return None
        return self.folder / files.PAGE

    def ended(self, code: ExitCode) -> ExitCode:
        """The run ended like this. Gives the code back."""
        self.ending = Ending(exit_code=int(code), how=_IN_WORDS.get(code, code.name.lower()))
        return code


def facts_of(
    settings: Settings,
    options: RunOptions,
    *,
    account: str | None,
    at: int,
    data: MarketData | None,
) -> RunFacts:
    """What is known of a run that begins at this market time; `data` None: the broker's market."""
    is_virtual = options.speed is None
    return RunFacts(
        mode=settings.broker.venue.value,
        venue=settings.broker.venue.value,
        account=account,
        version=__version__,
        configuration=settings.digest,
        origin="the broker's" if data is None else data.origin,
        window=Window(begins_at=at, ends_at=None if data is None else data.bars[-1].end_at),
        data=None if data is None else data.digest,
        seed=options.seed,
        speed=options.speed,
        clock="virtual" if is_virtual else "wall",
        dry_run=options.dry_run,
        plugins=tuple(str(each) for each in plugins_in_use(settings)),
    )


def bundled(
    engine: EngineFiles,
    record: EngineRecord,
    run: RunFacts,
    out: TextIO,
    redactor: Redactor | None,
    play: Callable[[TextIO, Path | None, LastResort], ExitCode],
) -> ExitCode:
    """Play a run within its bundle: `play` is given what to say things through, the bundle's
    folder, if one could be made, and what ends the process if a stop takes too long. The last also
    if that is for the bundle, which `report` makes whole later.

    The record is open, and `play` closes it. Passes on what `play` raises, and nothing else.
    """
    last_resort = LastResort()
    try:
        last_resort.stand_by()
        with session_bundle(engine, record, run, out, redactor) as bundle:
            return bundle.ended(play(bundle.out, bundle.folder, last_resort))
        raise AssertionError("the bundle lets every exception through")
    finally:
        last_resort.disarm()


@contextmanager
def session_bundle(
    engine: EngineFiles,
    record: EngineRecord,
    run: RunFacts,
    out: TextIO,
    redactor: Redactor | None = None,
    *,
    with_plots: bool = True,
) -> Iterator[SessionBundle]:
    """The bundle of the run within the block; the record is open, and closed within the block too.

    `with_plots` False spares the second that drawing takes. Nothing that goes wrong with the bundle
    reaches the run: it is said once, on `out`.
    """
    bundle, clean = SessionBundle(out), str if redactor is None else redactor.text

    def say(line: str) -> None:
        with suppress(OSError, ValueError):  # nobody reads it any more
            print(line, file=bundle.out, flush=True)

    unhurt = Unhurt(say)
    with ExitStack() as held:
        begun = unhurt.do(
            "the session goes on, without a bundle of its files",
            lambda: _begun(bundle, engine, record, run, unhurt, clean, held),
        )
        try:
            yield bundle
        except NoAccount as refused:
            bundle.ended(refused.code)
            raise
        # Whatever it is, SystemExit and an interrupt too: the page says how the run ended.
        except BaseException as error:
            words = clean(f"crashed: {in_words(error)}")
            bundle.ending = Ending(exit_code=None, how=words)
            raise
        finally:
            if begun is not None:
                _close(begun, bundle, engine, unhurt, redactor, with_plots=with_plots)
            if bundle.page is not None:
                with suppress(OSError, ValueError):  # nobody reads it any more
                    print(f"report: {bundle.page}", file=out, flush=True)


def _begun(
    bundle: SessionBundle,
    engine: EngineFiles,
    record: EngineRecord,
    run: RunFacts,
    unhurt: Unhurt,
    clean: Callable[[str], str],
    held: ExitStack,
) -> Following:
    folder = files.begun_folder(engine.runs, new_york_date(run.window.begins_at))
    held.enter_context(held_alone(folder, "session"))
    provenance = Provenance(
        session=folder.name,
        run=run,
        began_at=run.window.begins_at,
        began_wall_at=time.time_ns(),
    )
    files.replace(folder / files.PROVENANCE, origins.encoded(provenance))
    opening = opening_of(record.ledger, record.journal.synced_seq)
    writer = BundleWriter(folder, provenance, opening, engine.journal)
    writer.begin()
    bundle.out = cast("TextIO", Transcript(bundle.out, folder / files.LOG, clean))
    bundle.folder = folder
    following = Following(writer, unhurt, before=lambda: _have_left_ones_closed(engine))
    following.start()
    return following


def _close(
    following: Following,
    bundle: SessionBundle,
    engine: EngineFiles,
    unhurt: Unhurt,
    redactor: Redactor | None,
    *,
    with_plots: bool,
) -> None:
    folder = bundle.folder
    if folder is None or not following.stop(STOPS_WITHIN_S):
        return  # the disk does not answer; the next start makes up for it
    consequence = f"the bundle {folder} is not closed; `hydra-trader report` closes it"
    # An impatient second signal ends this, and not with an exit code that says otherwise.
    with suppress(KeyboardInterrupt):
        unhurt.do(
            consequence,
            lambda: close_bundle(folder, engine, bundle.ending, redactor, with_plots=with_plots),
        )


def _have_left_ones_closed(engine: EngineFiles) -> None:
    """By a process of its own: their ledger may be ours by now, which no thread may read by hand.

    Nobody waits for it but a thread, which may end with us. Our own bundle is held, so it is none
    of them.
    """
    if len(left_open_in(engine.runs)) > 1:
        words = [sys.executable, "-m", "hydra.ops.artefacts.left_ones", *words_for(engine)]
        nowhere = subprocess.DEVNULL

        def have_closed() -> None:
            with suppress(OSError, subprocess.TimeoutExpired):  # `report` closes them too
                subprocess.run(
                    words,
                    stdin=nowhere,
                    stdout=nowhere,
                    stderr=nowhere,
                    start_new_session=True,
                    timeout=CLOSED_WITHIN_S,
                    check=False,
                )

        threading.Thread(target=have_closed, name="left-bundles", daemon=True).start()


_IN_WORDS = {
    ExitCode.CLEAN: "in order",
    ExitCode.PREFLIGHT_FAILED: "preflight did not pass",
    ExitCode.FAIL_CLOSED: "FAILED CLOSED",
}
