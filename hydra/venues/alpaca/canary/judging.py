"""Whether rows are as we know them: pure, of JSON values as they stand on the wire."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation

import msgspec

from hydra.trading.amounts import is_amount
from hydra.trading.echo import words
from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.canary.contract import Kind, Shape
from hydra.venues.alpaca.canary.lines import Line, Verdict
from hydra.venues.alpaca.order_matrix import Answer
from hydra.venues.alpaca.outcomes import Exists, NotSent, Ok, OrderOutcome, Refused, describe
from hydra.venues.alpaca.payloads import OrderPayload, reader
from hydra.venues.alpaca.times import nanoseconds
from hydra.venues.one_line import one_line

SAID_MAX = 5
_BADNESS = (Verdict.NOT_NOW, Verdict.PASS, Verdict.UNKNOWN, Verdict.DRIFTED)


class Found(msgspec.Struct, frozen=True):
    """What a look at rows has found: what Hydra cannot go by, and what is new to it."""

    faults: tuple[str, ...] = ()
    news: tuple[str, ...] = ()

    def __add__(self, other: Found) -> Found:
        return Found(_each_once(self.faults + other.faults), _each_once(self.news + other.news))


read_raw = reader(object)
"""The JSON as it stands on the wire. Raises `BadAnswer`."""


def judged(shape: Shape, rows: Iterable[object]) -> Found:
    """All rows against the shape; what is found in many of them is said once."""
    faults: list[str] = []
    news: list[str] = []
    for row in rows:
        if not isinstance(row, dict):
            faults.append(f"{shape.name} is {_shown(row)}, wanted an object")
            continue
        faults += _faults(shape, row)
        news += _news(shape, row)
    return Found(_each_once(faults), _each_once(news))


def line_of(check: str, found: Found, fine: str) -> Line:
    """`fine` is what is said where there is no fault."""
    if not found.faults:
        return Line(check=check, verdict=Verdict.PASS, line=fine, news=found.news)
    more = len(found.faults) - SAID_MAX
    said = "; ".join(found.faults[:SAID_MAX]) + (f"; and {more} more" if more > 0 else "")
    return Line(check=check, verdict=Verdict.DRIFTED, line=said, news=found.news)


def worst_of_each(lines: Iterable[Line]) -> list[Line]:
    """One line a check, in their order: the worst, and of equal ones the last; all their news."""
    worst: dict[str, Line] = {}
    for line in lines:
        before = worst.setdefault(line.check, line)
        kept = line if _BADNESS.index(line.verdict) >= _BADNESS.index(before.verdict) else before
        news = _each_once(before.news + line.news)
        worst[line.check] = msgspec.structs.replace(kept, news=news)
    return list(worst.values())


def unknown(check: str, why: str) -> Line:
    """The line of a check that came to nothing."""
    return Line(check=check, verdict=Verdict.UNKNOWN, line=why)


def answer_to_probe(
    check: str, wanted: Answer | None, outcome: OrderOutcome[OrderPayload]
) -> Line | None:
    """What the broker's answer to a probe says of the rule; None: it was taken, as wanted.

    A 403 where it should be taken tells nothing: it may be the account, its money or the hour.
    """
    match outcome:
        case Ok() if wanted is None:
            return None
        case Ok():
            assert wanted is not None
            said = f"it was taken, wanted a refusal by {_numbers(wanted)}"
            return Line(check=check, verdict=Verdict.DRIFTED, line=said)
        case Refused() as refused:
            pass
        case Exists(refused=refused):
            pass
        case other:
            kept = "not sent: " if isinstance(other, NotSent) else ""
            return unknown(check, f"{kept}{describe(other)}")
    got = Answer(refused.status, refused.code)
    if got == wanted:
        fine = f"refused, as it should be, by {_numbers(got)}"
        return Line(check=check, verdict=Verdict.PASS, line=fine)
    if refused.status in (401, 404) or (wanted is None and refused.status == 403):
        return unknown(check, f"refused, {refused}")
    instead = "taken" if wanted is None else f"refused by {_numbers(wanted)}"
    said = f"it was refused by {refused}, wanted it {instead}"
    return Line(check=check, verdict=Verdict.DRIFTED, line=said)


def _faults(shape: Shape, row: Mapping[str, object]) -> Iterator[str]:
    for name, kind in {**shape.reads, **shape.needs}.items():
        value = row.get(name)
        if value is None:
            if name in shape.needs:
                how = "null" if name in row else "missing"
                yield f"{shape.name}.{name} is {how}, wanted {kind.value}"
        elif not _is(kind, value):
            yield f"{shape.name}.{name} is {_shown(value)}, wanted {kind.value}"
    for name, value in _strange_words(shape, row):
        if shape.words[name].decide:
            yield f"{shape.name}.{name} is {words(value)}, which is no word that Hydra reads"


def _news(shape: Shape, row: Mapping[str, object]) -> Iterator[str]:
    known = shape.needs.keys() | shape.reads.keys() | shape.known
    for name in sorted(row.keys() - known):
        yield f"{shape.name} has a new field {words(one_line(name))}"
    for name, value in _strange_words(shape, row):
        if not shape.words[name].decide:
            yield f"{shape.name}.{name} has a new word {words(value)}"


def _strange_words(shape: Shape, row: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, allowed in shape.words.items():
        value = row.get(name)
        if isinstance(value, str) and value not in allowed.known:
            yield name, one_line(value)


def _is(kind: Kind, value: object) -> bool:
    match kind:
        case Kind.TEXT:
            return isinstance(value, str)
        case Kind.FLAG:
            return isinstance(value, bool)
        case Kind.MAP:
            return isinstance(value, dict)
        case Kind.AMOUNT:
            return not isinstance(value, bool) and _is_amount(value)
        case Kind.TIME:
            return isinstance(value, str) and _is_time(value)


def _is_amount(value: object) -> bool:
    if not isinstance(value, str | int | float):
        return False
    try:
        return is_amount(Decimal(str(value)))
    except InvalidOperation:
        return False


def _is_time(text: str) -> bool:
    try:
        nanoseconds(text)
    except BadAnswer:
        return False
    return True


def _numbers(answer: Answer) -> str:
    return f"{answer.status}/{answer.code}"


def _shown(value: object) -> str:
    return one_line(repr(value))


def _each_once(said: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(said))
