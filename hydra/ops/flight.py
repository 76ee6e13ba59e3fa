"""The flight recording of a session: its messages, and all that is needed to run it once more."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from typing import Any

import apsw
import msgspec

from hydra import __version__
from hydra.assembly import Parts, Tree
from hydra.ops.session import Recorded, Session
from hydra.runtime.life import in_words
from hydra.runtime.recorder import MEBIBYTE, FlightRecorder
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.settings import Settings
from hydra.settings.whole import content_of
from hydra.store.backup import copy_to
from hydra.store.connection import connected_to_read
from hydra.store.private_files import RightsTooOpen, make_private_file, make_private_folder
from hydra.terms import MarketFacts
from hydra.trading.coin_orders import CoinTerms
from hydra.trading.sessions import SessionTable

FOLDER = "flight"
"""Where a session's bundle has it."""
DESCRIPTION, LEDGER = "session.json", "ledger.db"
FORMAT = 1


class RecordedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A market as the session found it; see `MarketFacts`."""

    symbols: tuple[str, ...]
    sessions: SessionTable
    bar_interval: int
    coin_terms: Mapping[str, CoinTerms]
    option_calendar: SessionTable | None
    origin: str


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What a session was made of, besides its ledger. Secrets are no part of settings."""

    format: int
    version: str
    python: str
    seed: int
    at: int
    venue: str
    configuration: str
    settings: dict[str, Any]
    facts: RecordedFacts
    parts: Parts
    checksum: str = ""
    """Of all the rest of the file; "": of a version that wrote none."""


def sealed(described: Mapping[str, Any]) -> bytes:
    """The file of a description as plain content, with its checksum: most of what is in it no
    message tells, so what is changed in it by hand would show in none.
    """
    return _plain({**described, "checksum": _checksum_of(described)})


def is_unchanged(content: bytes) -> bool:
    """Whether the file is as it was written, as far as it can tell."""
    described = msgspec.json.decode(content, type=dict[str, Any])
    told = described.get("checksum", "")
    return not told or told == _checksum_of(described)


def _checksum_of(described: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in described.items() if key != "checksum"}
    return hashlib.blake2b(_plain(rest), digest_size=16).hexdigest()


def _plain(content: object) -> bytes:
    return msgspec.json.encode(content, order="sorted")


class Flight:
    """The recording of one session, while it goes on."""

    def __init__(
        self, recorded: Recorded, session: Session, runtime: ThreadRuntime, mb_max: int
    ) -> None:
        """Ports that are asked for from now on are noted."""
        self._folder = recorded.folder / FOLDER
        self._session = session
        self._runtime = runtime
        self._recorder = FlightRecorder(
            self._folder,
            market_at=runtime.market_time_at,
            bytes_max=mb_max * MEBIBYTE,
            tell=self._ended_early,
            clean=recorded.clean,
        )
        session.configured = self._configured
        runtime.record_flight(self._recorder)

    def begin(self, tree: Tree) -> None:
        """Write down what the session begins with, and record from here on. To be called before the
        tree starts. What cannot be written is said, and then nothing is recorded.
        """
        try:
            make_private_folder(self._folder)
            self._copy_ledger()
            described = sealed(msgspec.json.decode(_plain(_description(self._session, tree))))
            make_private_file(self._folder / DESCRIPTION)
            (self._folder / DESCRIPTION).write_bytes(described)
        except (OSError, RightsTooOpen, apsw.Error, TypeError) as error:
            self._recorder.give_up()
            self._ended_early(in_words(error))
            return
        self._recorder.start()

    def end(self) -> None:
        """The tree has stopped, and nobody has written to the ledger since."""
        mark = self._session.record.ledger.mark
        self._recorder.close(f"{mark.seq} {mark.chain}")

    def _configured(self, settings: Settings) -> None:
        self._recorder.configured(content_of(settings, as_written=True))

    def _copy_ledger(self) -> None:
        source = connected_to_read(self._session.files.ledger)
        try:
            copy_to(source, self._folder / LEDGER)
        finally:
            source.close()

    def _ended_early(self, reason: str) -> None:
        self._session.say(f"the session is not recorded any further: {reason}")
        self._runtime.log("flight_recording_ended", "recorder", {"reason": reason})


def _description(session: Session, tree: Tree) -> Description:
    content = content_of(session.settings, as_written=True)
    assert isinstance(content, dict)
    return Description(
        format=FORMAT,
        version=__version__,
        python=platform.python_version(),
        seed=session.options.seed,
        at=session.market.at,
        venue=session.settings.broker.venue.value,
        configuration=session.settings.digest,
        settings=content,
        facts=_facts(session.market.facts),
        parts=tree.parts,
    )


def _facts(facts: MarketFacts) -> RecordedFacts:
    return RecordedFacts(
        symbols=facts.symbols,
        sessions=facts.sessions,
        bar_interval=facts.bar_interval,
        coin_terms=facts.coin_terms,
        option_calendar=facts.option_calendar,
        origin=facts.origin,
    )
