"""A recorded session run once more, message by message, and held against what was recorded."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import msgspec
from msgspec import structs
from pydantic import ValidationError

from hydra.actor import ChildSpec
from hydra.assembly import Tree, assemble_on
from hydra.ops.debug.describing import utc_text
from hydra.ops.flight import DESCRIPTION, FOLDER, FORMAT, LEDGER, Description, is_unchanged
from hydra.plugins import PluginBroken
from hydra.ports import (
    Conditions,
    CorporateActions,
    Journal,
    OptionChains,
    OrderGate,
    PriceFeed,
    Service,
    Signals,
    Venue,
)
from hydra.runtime.contents import NotReadable
from hydra.runtime.recorded_order import hangs_in
from hydra.runtime.recording import SUFFIX, RecordingDamaged, events_in
from hydra.runtime.replay_outcome import Difference, Replayed
from hydra.runtime.replay_runtime import ReplayRuntime
from hydra.settings import Settings
from hydra.store.checking import LedgerDamaged
from hydra.store.connection import DurabilityRefused
from hydra.store.ledger import REFUSALS, Ledger, LedgerFailed, WrongOwner
from hydra.store.private_files import RightsTooOpen
from hydra.store.schema import NewerThanThisHydra, NotALedger
from supervisors import paths

PROTOCOLS: dict[str, type] = {
    "conditions": Conditions,
    "corporate_actions": CorporateActions,
    "gate": OrderGate,
    "journal": Journal,
    "option_chains": OptionChains,
    "price_feed": PriceFeed,
    "service": Service,
    "signals": Signals,
    "venue": Venue,
}
"""What each port's answers are, by the name that `assemble_on` gives it."""


class NotRecorded(Exception):
    """There is no recording that could be replayed; the text says what was found, and wanted."""


class SessionReplay(Replayed, frozen=True, kw_only=True):
    """How the replay of the session in this folder ended."""

    folder: Path


def in_words(replay: SessionReplay) -> tuple[str, ...]:
    """For people: how it ended, a line each; both sides, if they differ."""
    speed = f"{replay.messages:,} messages in {replay.seconds:.1f} s"
    found = replay.difference
    if found is not None:
        where = f"message {found.number:,}, {utc_text(found.at)}, in {found.cell}"
        return (
            f"DIFFERENT: {where}",
            f"  recorded: {found.recorded}",
            f"  replayed: {found.replayed}",
        )
    if replay.incomplete:
        return (f"INCOMPLETE: {replay.incomplete}; up to there nothing differs: {speed}",)
    if replay.is_same:
        return (f"the same: {speed} end in state {replay.replayed_hash}",)
    return (f"{speed}; nothing differs so far",)


def whole_tree(tree: Tree) -> ChildSpec:
    """Every actor as it is assembled."""
    return tree.tree


def replay_session(
    folder: Path,
    *,
    tree_of: Callable[[Tree], ChildSpec] = whole_tree,
    until: int | None = None,
    is_stopping: Callable[[], bool] = lambda: False,
) -> SessionReplay:
    """Run the session of this bundle (or of the `flight` folder itself) once more.

    `tree_of` says which actors are started, if not all as they are assembled; `until`: only so many
    messages, or until `is_stopping`. Nothing of the folder is changed. Raises `NotRecorded`, and
    `RecordingDamaged` if a chunk of it is not whole.
    """
    flight = folder / FOLDER if (folder / FOLDER).is_dir() else folder
    description = description_in(flight)
    with _ledger_of(flight, description) as ledger:
        recipes = _Recipes()
        runtime = ReplayRuntime(
            events_in(flight),
            PROTOCOLS,
            hangs=hangs_in(events_in(flight)),
            seed=description.seed,
            journal=paths.JOURNAL_WRITER,
            configured=recipes.follow,
            recipes=recipes.of,
            refusals=REFUSALS,
        )

        def mark() -> str:
            return f"{ledger.mark.seq} {ledger.mark.chain}"

        try:
            recipes.tree = tree = _assembled(description, runtime, ledger)
            runtime.start_root(tree_of(tree))
            done = runtime.run(mark, until=until, is_stopping=is_stopping)
        except PluginBroken as broken:
            raise NotRecorded(
                f"{flight}: found a session with code of others that is not here as it was there"
                f" ({broken}); wanted what it ran with; install that, and replay it again"
            ) from broken
        except NotReadable as error:
            raise NotRecorded(
                f"{flight}: found what this version cannot read ({error});"
                f" {_of_its_version(description)}"
            ) from error
        return SessionReplay(folder=flight, **structs.asdict(done))


def description_in(flight: Path) -> Description:
    """What the session was made of. Raises `NotRecorded`."""
    path = flight / DESCRIPTION
    if not path.is_file() or not any(flight.glob(f"*{SUFFIX}")):
        raise NotRecorded(
            f"{flight}: found no recording of a session; wanted {DESCRIPTION}, {LEDGER} and files"
            f" {SUFFIX}: was the recorder on?"
        )
    content = path.read_bytes()
    try:
        description = msgspec.json.decode(content, type=Description)
    except msgspec.MsgspecError as error:
        raise NotRecorded(f"{path}: {error}") from error
    if description.format != FORMAT:
        raise NotRecorded(f"{path}: found format {description.format}, wanted {FORMAT}")
    if not is_unchanged(content):
        raise NotRecorded(
            f"{path}: found that it was changed since it was written; wanted it as the session left"
            " it, as what it says shows in no message; put it back, or take another session"
        )
    return description


@contextmanager
def _ledger_of(flight: Path, description: Description) -> Iterator[Ledger]:
    """The ledger as the session found it: a copy of the copy, which the replay writes to."""
    source = flight / LEDGER
    if not source.is_file() or not source.stat().st_size:  # SQLite would begin a new one
        raise NotRecorded(f"{source}: found no ledger; wanted the session's, as it began")
    with TemporaryDirectory(prefix="hydra-replay-") as scratch:
        path = Path(scratch) / LEDGER
        shutil.copyfile(source, path)
        path.chmod(0o600)
        ledger = _opened(path, source, description)
        try:
            yield ledger
        finally:
            ledger.close()


def _opened(copy: Path, source: Path, description: Description) -> Ledger:
    """The copy. What is wrong with it is said of the recording, of which it is: whoever reads it
    must not think that the ledger of his engine is meant. Raises `NotRecorded`.
    """
    try:
        return Ledger.open(copy, venue=description.venue, at=description.at)
    except NewerThanThisHydra as newer:
        raise NotRecorded(
            f"{source}: found a ledger that a later Hydra wrote; {_of_its_version(description)}"
        ) from newer
    except _UNUSABLE as error:
        fault = str(error).replace(f"{copy}: ", "").replace(str(copy), LEDGER).partition(";")[0]
        raise NotRecorded(
            f"{source}: found a damaged ledger, or none ({fault}); wanted the session's, as it"
            " began; without it this recording cannot be replayed"
        ) from error


_UNUSABLE = (
    DurabilityRefused,
    LedgerDamaged,
    LedgerFailed,
    NotALedger,
    RightsTooOpen,
    WrongOwner,
)


def _of_its_version(description: Description) -> str:
    return f"replay it with the version that recorded it, {description.version}"


def _assembled(description: Description, runtime: ReplayRuntime, ledger: Ledger) -> Tree:
    parts, nobody = description.parts, cast("Any", _Nobody())
    return assemble_on(
        _settings(description.settings),
        description.facts,
        runtime=runtime,
        venue=nobody,
        account=parts.account,
        ledger=ledger,
        journal=nobody,
        conditions=nobody,
        services=dict.fromkeys(parts.services, nobody),
        price_feed=nobody if parts.has_price_feed else None,
        price_age_max=parts.price_age_max,
        option_chains=nobody if parts.has_option_chains else None,
        corporate_actions=nobody if parts.has_corporate_actions else None,
        fees=parts.fees,
        known_bars=parts.known_bars,
        uncertified=parts.uncertified,
        signals=nobody,
    )


def _settings(content: object) -> Settings:
    try:
        return Settings.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise NotRecorded(
            f"the recorded configuration is not one of this version: {where}: {first['msg']};"
            " replay it with the version that recorded it"
        ) from error


class _Recipes:
    """Every actor's recipe, by the configuration that was recorded last."""

    def __init__(self) -> None:
        self.tree: Tree | None = None

    def follow(self, content: bytes) -> None:
        """From now on by this one."""
        assert self.tree is not None, "it is there before the first message"
        self.tree = self.tree.rebuilt(_settings(msgspec.json.decode(content)))

    def of(self, path: str) -> ChildSpec | None:
        """Of the actor of this path; None: there is none."""
        assert self.tree is not None, "it is there before the first message"
        spec: ChildSpec | None = self.tree.tree
        _, root, *names = path.split("/")
        if spec is None or spec.name != root:
            return None
        for name in names:
            children = () if spec is None else spec.args.get("children", ())
            spec = next((each for each in children if each.name == name), None)
        return spec


class _Nobody:
    """Stands where a port would be: the runtime puts the recorded answers in its place."""


__all__ = [
    "Difference",
    "NotRecorded",
    "RecordingDamaged",
    "SessionReplay",
    "in_words",
    "replay_session",
]
