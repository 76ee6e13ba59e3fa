"""`release_blocker.json`: may what is here be released? Only a fresh and green word says so.

Whoever deploys or promotes asks `verdict_in`, and nobody reads the file by himself. Missing,
unreadable, stale and red all block, and so does a word that contradicts itself. When a check
begins, the file says red: a check that is killed on its way leaves no green behind.

An override lets something through that is blocked. It names who, why and until when, holds for the
very content of the blocker that it was given for (the next check ends it, whatever it finds), and
stays on record (`overrides.jsonl`) for good.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from hydra import __version__
from hydra.ops.artefacts.folder import append, replace
from hydra.store.syncing import sync_folder

BLOCKER, OVERRIDE, OVERRIDES = "release_blocker.json", "release_override.json", "overrides.jsonl"
FORMAT = 1
GREEN, RED = "green", "red"
HOURS_MAX = 7 * 24
"""For how long a word may be good, and an override."""
CLOCKS_APART_MAX = timedelta(seconds=5)
"""So far in the future a word may be, of a machine whose clock is set now and then."""
UNDER_WAY = "a check has begun and not ended: it runs, or was killed"
_SHOWN = 3


class Versions(msgspec.Struct, frozen=True, kw_only=True):
    """Of Hydra: whose session it was, and who has checked it. And the settings' digest."""

    session: str
    checked_by: str
    configuration: str


class Blocker(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file. Times are ISO 8601 in UTC, by the machine's clock. `bundle`: the gate's own files.

    Green has no reasons, red has one at least.
    """

    format: int = FORMAT
    status: str
    reasons: tuple[str, ...]
    checked_at: datetime
    valid_until: datetime
    session: str
    versions: Versions
    bundle: str


class Override(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Leave to release in spite of a blocker. `blocker` names the content it was given for."""

    format: int = FORMAT
    who: str
    why: str
    given_at: datetime
    until: datetime
    blocker: str
    blocked: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`blocked` is why, in one line; None: green. `override`: the one that stands against that."""

    blocked: str | None
    blocker: Blocker | None = None
    override: Override | None = None
    not_overridden: str = ""
    """Why an override that there is does not count."""

    @property
    def may_release(self) -> bool:
        """Green, or overridden; whoever releases on an override has to put it on record."""
        return self.blocked is None or self.override is not None


class BadOverride(ValueError):
    """The override cannot be given. The message is one line."""


def verdict_in(folder: Path, now: datetime, *, configuration: str | None = None) -> Verdict:
    """What the folder's blocker says at that time. The one way to ask.

    `configuration` is the digest of the settings that are to be released, where that is known: a
    word on others is none on these.
    """
    blocker, blocked = _word_in(folder / BLOCKER, now)
    if blocker is not None and blocked is None:
        checked = blocker.versions.configuration
        if configuration not in (None, checked):
            blocked = f"it was checked with settings {checked}, and these are {configuration}"
    if blocked is None:
        return Verdict(blocked=None, blocker=blocker)
    override, why_not = _override_in(folder, now)
    return Verdict(blocked=blocked, blocker=blocker, override=override, not_overridden=why_not)


def write_red(folder: Path, reason: str, now: datetime) -> None:
    """Red without a finding: a check begins (`UNDER_WAY`), or cannot be done. Raises OSError."""
    write_blocker(
        folder,
        Blocker(
            status=RED,
            reasons=(reason,),
            checked_at=now,
            valid_until=now,
            session="",
            versions=Versions(session="", checked_by=__version__, configuration=""),
            bundle="",
        ),
    )


def write_blocker(folder: Path, blocker: Blocker) -> None:
    """In place of the one before, whole and on the disk, or not at all. Raises OSError."""
    content = msgspec.json.format(msgspec.json.encode(blocker), indent=2) + b"\n"
    replace(folder / BLOCKER, content)
    sync_folder(folder)


def override(folder: Path, *, who: str, why: str, now: datetime, until: datetime) -> Override:
    """Let through what is blocked now, until then; first on record, then in force.

    Raises `BadOverride`, also where nothing is blocked, and OSError.
    """
    who, why = " ".join(who.split()), " ".join(why.split())
    if not who or not why:
        raise BadOverride("found no name or no reason; wanted who overrides the blocker, and why")
    if not now < until <= now + timedelta(hours=HOURS_MAX):
        raise BadOverride(
            f"found an override until {_iso(until)}; wanted an end after now ({_iso(now)}), and"
            f" within {HOURS_MAX} hours"
        )
    blocked = verdict_in(folder, now).blocked
    if blocked is None:
        raise BadOverride("found nothing to override: the blocker is green")
    given = Override(
        who=who,
        why=why,
        given_at=now,
        until=until,
        blocker=_content_of(folder / BLOCKER),
        blocked=blocked,
    )
    append(folder / OVERRIDES, msgspec.json.encode(given) + b"\n")
    replace(folder / OVERRIDE, msgspec.json.encode(given) + b"\n")
    sync_folder(folder)
    return given


def _word_in(path: Path, now: datetime) -> tuple[Blocker | None, str | None]:
    """The blocker, as far as it can be read, and why it blocks; None: it does not."""
    try:
        blocker = msgspec.json.decode(path.read_bytes(), type=Blocker)
    except FileNotFoundError:
        return None, f"{path}: found no such file; run `hydra-trader gate` first"
    except OSError as error:
        return None, f"{path}: cannot be read: {error.strerror or error}"
    except (msgspec.MsgspecError, ValueError) as error:
        return None, f"{path}: is no release blocker: {error}"
    return blocker, _why_blocked(blocker, path, now)


def _why_blocked(blocker: Blocker, path: Path, now: datetime) -> str | None:
    again = "run `hydra-trader gate` again"
    if blocker.format != FORMAT:
        return f"{path}: found format {blocker.format}, wanted {FORMAT}; {again}"
    if blocker.checked_at.tzinfo is None or blocker.valid_until.tzinfo is None:
        return f"{path}: found a time without an offset, wanted UTC; {again}"
    if blocker.status != GREEN:
        more = len(blocker.reasons) - _SHOWN
        told = "; ".join(blocker.reasons[:_SHOWN]) or "no reason is told"
        return f"{blocker.status}: {told}{f'; and {more} more' if more > 0 else ''}"
    if blocker.reasons:
        return f"{path}: says green and has reasons against it: {blocker.reasons[0]}; {again}"
    if blocker.versions.checked_by != __version__:
        return (
            f"stale: it was checked by Hydra {blocker.versions.checked_by}, and this is"
            f" {__version__}; {again}"
        )
    if blocker.checked_at > now + CLOCKS_APART_MAX:
        return f"{path}: found a check at {_iso(blocker.checked_at)}, which is to come; {again}"
    if blocker.valid_until > blocker.checked_at + timedelta(hours=HOURS_MAX):
        return f"{path}: found a word good for over {HOURS_MAX} hours, wanted less; {again}"
    if now >= blocker.valid_until:
        return f"stale: it was good until {_iso(blocker.valid_until)}; {again}"
    return None


def _override_in(folder: Path, now: datetime) -> tuple[Override | None, str]:
    """The override that stands, or why one that is there does not."""
    path = folder / OVERRIDE
    try:
        given = msgspec.json.decode(path.read_bytes(), type=Override)
        content = _content_of(folder / BLOCKER)
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, f"{path}: cannot be read: {error.strerror or error}"
    except (msgspec.MsgspecError, ValueError) as error:
        return None, f"{path}: is no override: {error}"
    if given.format != FORMAT or given.until.tzinfo is None or given.given_at.tzinfo is None:
        return None, f"{path}: is of another format"
    if given.blocker != content:
        return None, f"the override of {given.who} was given for another check"
    latest = given.given_at + timedelta(hours=HOURS_MAX)
    if not given.given_at <= now < min(given.until, latest):
        return None, f"the override of {given.who} was good until {_iso(given.until)}"
    if not given.who or not given.why:
        return None, f"{path}: names nobody, or no reason"
    return given, ""


def _content_of(path: Path) -> str:
    """What names the blocker's content; "": there is none."""
    try:
        return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    except FileNotFoundError:
        return ""


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
