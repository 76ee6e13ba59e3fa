"""The command `chain`: which message led to which, as far as anybody still remembers."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from hydra.ops.debug.asking import Caller
from hydra.ops.debug.describing import Refused, Row, in_ms
from hydra.ops.debug.looking import Arguments, Limit
from hydra.ops.debug.protocol import shortened
from hydra.runtime.cell import Cell
from hydra.runtime.envelope import Envelope, MessageId, name_of
from hydra.runtime.inspection import running_in
from hydra.runtime.life import HISTORY
from hydra.runtime.runtime import Runtime
from hydra.runtime.sim_runtime import SimRuntime

WAITING_MAX = 2_000
"""How many waiting messages of one mailbox are looked at, from the head."""

LEVELS_MAX = 100

_MESSAGE_ID = re.compile(r"(?P<sender>.+)#(?P<incarnation>\d{1,9})\.(?P<number>\d{1,18})")


class Chain(Arguments, frozen=True):
    """`id`: a message's (`/hydra/bots/mom_AAPL#1.17`), or the `corr` of an order or decision."""

    id: Annotated[str, Meta(min_length=1, max_length=500)]
    limit: Limit = 200


class Link(msgspec.Struct, frozen=True):
    """One message at one receiver. `at` is when it was handled, or sent if it was not."""

    id: MessageId
    cause: MessageId | None
    corr: str | None
    type: str
    path: str
    at: int
    fate: str


def chain(runtime: Runtime, arguments: Chain, _caller: Caller) -> dict[str, Any]:
    """Everything that led to a message or order and everything that came of it, indented."""
    links = _remembered(runtime)
    by_id: dict[MessageId, list[Link]] = defaultdict(list)
    by_cause: dict[MessageId, list[MessageId]] = defaultdict(list)
    for link in links:
        if link.id not in by_id and link.cause is not None:
            by_cause[link.cause].append(link.id)
        by_id[link.id].append(link)
    asked = _asked_for(arguments.id, links)
    if not asked:
        raise Refused(
            f"nothing is remembered of {shortened(arguments.id)}: each actor remembers the last"
            f" {HISTORY} messages it handled, the last {HISTORY} of orders, and those that wait"
        )
    origins = dict.fromkeys(_origin(message_id, by_id) for message_id in asked)
    rows = [
        row for origin in origins for row in _told(origin, by_id, by_cause, frozenset(asked), 0)
    ]
    now = runtime.now()
    for row in rows:
        if row["at"] is not None:
            row["ago_ms"] = in_ms(now - row["at"])
        del row["at"]
    cut = None if len(rows) <= arguments.limit else f"{arguments.limit} of {len(rows)}"
    return {"rows": rows[: arguments.limit], "total": len(rows), "cut": cut}


def _asked_for(text: str, links: list[Link]) -> list[MessageId]:
    """The messages that the text names, by their own id or by what they belong to."""
    parsed = _MESSAGE_ID.fullmatch(text)
    wanted: MessageId | None = None
    if parsed is not None:
        wanted = (parsed["sender"], int(parsed["incarnation"]), int(parsed["number"]))
    named: dict[MessageId, None] = {}
    for link in links:
        if text == link.corr or (wanted is not None and wanted == link.id):
            named[link.id] = None
        elif wanted is not None and wanted == link.cause:  # itself forgotten, but not its effects
            named[wanted] = None
    return list(named)


def _origin(message_id: MessageId, by_id: dict[MessageId, list[Link]]) -> MessageId:
    """The first cause that anybody knows of. It may itself be forgotten, known as a cause only."""
    for _ in range(LEVELS_MAX):
        found = by_id.get(message_id)
        if not found or found[0].cause is None:
            break
        message_id = found[0].cause
    return message_id


def _told(
    message_id: MessageId,
    by_id: dict[MessageId, list[Link]],
    by_cause: dict[MessageId, list[MessageId]],
    asked: frozenset[MessageId],
    level: int,
) -> Iterator[Row]:
    for link in by_id.get(message_id) or [_forgotten(message_id)]:
        yield {
            "level": level,
            "id": name_of(link.id),
            "type": link.type,
            "sender": link.id[0],
            "path": link.path,
            "fate": link.fate,
            "corr": link.corr,
            "asked": link.id in asked,
            "at": link.at or None,
        }
    if level < LEVELS_MAX:
        for effect in by_cause.get(message_id, ()):
            yield from _told(effect, by_id, by_cause, asked, level + 1)


def _forgotten(message_id: MessageId) -> Link:
    return Link(message_id, None, None, "", "", 0, "forgotten")


def _remembered(runtime: Runtime) -> list[Link]:
    """Every message somebody knows of, once a receiver, in the order in which they happened."""
    found: dict[tuple[MessageId, str], Link] = {}
    for link in _links(runtime):
        found.setdefault((link.id, link.path), link)
    return sorted(found.values(), key=lambda link: (link.at, link.id))


def _links(runtime: Runtime) -> Iterator[Link]:
    """What went wrong comes first: it says more than that the message was handled."""
    for dead in list(runtime.dead_letters.ring):
        yield _link(dead.envelope, dead.path, dead.at, f"dead: {dead.reason.value}")
    for cell in list(runtime.cells.values()):
        yield from _links_in(cell)
    if isinstance(runtime, SimRuntime) and runtime.trace is not None:
        for line in list(runtime.trace.lines):
            yield Link(
                line.id, line.cause, line.corr, line.message_type, line.path, line.at, "handled"
            )


def _links_in(cell: Cell) -> Iterator[Link]:
    for envelope, began, took in cell.handled.all():
        yield _link(envelope, cell.path, began, f"handled in {in_ms(took)} ms")
    running = running_in(cell)
    if running is not None and running.envelope is not None:
        yield _link(running.envelope, cell.path, running.since, "being handled")
    for lane in (True, False):
        for envelope in cell.mailbox.peek(WAITING_MAX, control=lane):
            yield _link(envelope, cell.path, envelope.at, "waits")
    for envelope in list(cell.stash):
        yield _link(envelope, cell.path, envelope.at, "set aside")


def _link(envelope: Envelope, path: str, at: int, fate: str) -> Link:
    name = type(envelope.message).__name__
    return Link(envelope.id, envelope.cause, envelope.corr, name, path, at, fate)
