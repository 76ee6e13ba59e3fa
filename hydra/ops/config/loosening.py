"""Whether a start may have settings that are looser than those that were in force last (K12)."""

from pathlib import Path

import msgspec

from hydra.ops.config.history import UNREADABLE, versions, write_whole
from hydra.ops.reload_source import ConfigSource
from hydra.settings import Settings, SettingsRefused, VenueName
from hydra.settings.changes import Change, Effect, changes_between
from hydra.store.private_files import make_private_folder

ACCEPTED = "accepted.json"


class Acceptance(msgspec.Struct, frozen=True, kw_only=True):
    """An operator lets one configuration be looser than the last. `at`: machine time (UTC ns)."""

    digest: str
    reason: str
    by: str
    at: int


class Unaccepted(Exception):
    """Something is looser than it was, with money at stake, and nobody has said why."""


def loosened(history: Path, settings: Settings) -> tuple[Change, ...]:
    """What is looser than in the configuration that was in force last; none if there was none."""
    known = versions(history)
    if not known or known[-1].about.digest == settings.digest:
        return ()
    source = ConfigSource(known[-1].folder, venue=settings.broker.venue)
    try:
        last = source.read()
    except SettingsRefused:  # of another version of Hydra: nobody can say what is looser
        return (Change("settings", known[-1].about.digest, settings.digest, Effect.LOOSER),)
    return tuple(each for each in changes_between(last, settings) if each.effect is Effect.LOOSER)


def require_accepted(history: Path, settings: Settings) -> Acceptance | None:
    """The word on which this start is looser than the last; None: it needs none.

    Raises `Unaccepted` if it needs one and there is none for these very settings.
    """
    if settings.broker.venue is VenueName.EMBEDDED:
        return None
    looser = loosened(history, settings)
    if not looser:
        return None
    word = acceptance(history)
    if word is not None and word.digest == settings.digest:
        return word
    lines = "\n".join(str(each) for each in looser)
    raise Unaccepted(
        f"{lines}\nfound settings that are looser than those in force last, wanted a reason for"
        " that on record; `hydra-trader config accept --reason ...`, or `config rollback`"
    )


def acceptance(history: Path) -> Acceptance | None:
    """What was said last; None: nothing, or nothing that can be read."""
    try:
        return msgspec.json.decode((history / ACCEPTED).read_bytes(), type=Acceptance)
    except UNREADABLE:
        return None


def write_acceptance(history: Path, word: Acceptance) -> None:
    """Keep it for the next start. Raises OSError and `RightsTooOpen`."""
    make_private_folder(history)
    beside = history / f".{ACCEPTED}"
    write_whole(beside, msgspec.json.encode(word))
    beside.replace(history / ACCEPTED)
