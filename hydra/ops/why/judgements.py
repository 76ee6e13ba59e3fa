"""A judgement of the risk guardian as the journal has it, back in the guardian's own terms.

The journal keeps what was judged even where it was no sane number. So values are read back as they
were: only a decimal that was written as one becomes a decimal, and what has another type than it
should have keeps that type. Then whoever asks the checks again gets their answer of then (I90).
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from actors.sender_checks import NOT_ITS_OWN
from hydra.ops.why.journal import Line
from hydra.trading.orders import DecisionKey, Denial, Role
from hydra.trading.risk_checks import BROUGHT, first_denial
from hydra.trading.situation import Situation
from messages.orders import OrderIntent

S = TypeVar("S", bound=msgspec.Struct)

APPROVED, DENIED = "order_approved", "order_denied"
NOT_OF_THE_FLATTENER = "flatten_is_the_operators"
"""A judgement that is not about the situation: who may ask for a flatten's orders."""


class NotReadable(Exception):
    """A line does not hold what its event should have; it was written by another Hydra."""


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What the guardian decided about one intent, and on which situation.

    `denial` None: it was approved, under the name `client_order_id`.
    """

    line: Line
    intent: OrderIntent
    situation: Situation
    denial: Denial | None
    client_order_id: str | None

    @property
    def decision(self) -> DecisionKey:
        """Whose wish it was."""
        return self.intent.decision

    def derived(self) -> Denial | None:
        """What the checks say of the situation now; what they said then, if all is well."""
        denial = self.denial
        is_flatten = self.intent.decision.role is Role.FLATTEN
        if denial is not None and denial.check == NOT_OF_THE_FLATTENER and is_flatten:
            return denial
        if denial is not None and denial.check == NOT_ITS_OWN:
            return denial  # about who asked, not about the situation
        found = first_denial(self.situation)
        if found is None and denial is not None and denial.check.startswith(BROUGHT):
            return denial  # a plug-in's word, which only it could say again
        return found


def judgement_in(line: Line) -> Judgement:
    """The judgement of a line that has one. Raises NotReadable."""
    record = line.record
    denial = None
    if line.event == DENIED:
        denial = Denial(str(record.get("check")), str(record.get("reason")))
    name = record.get("client_order_id")
    return Judgement(
        line=line,
        intent=intent_in(line),
        situation=_as(Situation, record, "situation", line),
        denial=denial,
        client_order_id=None if name is None else str(name),
    )


def intent_in(line: Line) -> OrderIntent:
    """What a line says was wanted. Raises NotReadable."""
    return _as(OrderIntent, line.record, "intent", line)


def read_back(kind: type[S], plain: Mapping[str, Any]) -> S:
    """The value of which the journal wrote `plain`. Raises NotReadable if a field is missing."""
    hints = _hints(kind)
    missing = [
        each.encode_name
        for each in msgspec.structs.fields(kind)
        if each.required and each.encode_name not in plain
    ]
    if missing:
        raise NotReadable(f"{kind.__name__} has no {', '.join(missing)}")
    return kind(
        **{
            each.name: _value(hints[each.name], plain[each.encode_name])
            for each in msgspec.structs.fields(kind)
            if each.encode_name in plain
        }
    )


def _as(kind: type[S], record: Mapping[str, Any], name: str, line: Line) -> S:
    plain = record.get(name)
    if not isinstance(plain, dict):
        is_cut = "oversize_bytes" in record
        reason = "it was too long to be written" if is_cut else "it is not there"
        raise NotReadable(f"line {line.seq} of the journal has no {name}: {reason}")
    try:
        found = read_back(kind, plain)
        if isinstance(found, Situation):
            _require_pairs(found)
        return found
    except NotReadable as error:
        raise NotReadable(f"line {line.seq} of the journal, {name}: {error}") from error


@cache
def _hints(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return get_type_hints(kind)


def _value(kind: Any, plain: Any) -> Any:
    """What was written so, if it can be of this kind; else as it stands there."""
    if isinstance(kind, UnionType):
        kinds = [each for each in get_args(kind) if each is not NoneType]
        return None if plain is None else _value(kinds[0], plain)
    if isinstance(plain, str):
        return _text(kind, plain)
    if isinstance(plain, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return read_back(kind, plain)
    if isinstance(plain, list) and get_origin(kind) in (tuple, frozenset):
        return get_origin(kind)(_value(get_args(kind)[0], each) for each in plain)
    return plain


def _require_pairs(situation: Situation) -> None:
    """Raises NotReadable for what was written when the symbols were one list for all bots."""
    if not all(isinstance(each, tuple) for each in situation.limits.symbols):
        raise NotReadable("Limits.symbols does not say which bot may enter which")


def _text(kind: Any, plain: str) -> Any:
    try:
        if kind is Decimal or (isinstance(kind, type) and issubclass(kind, Enum)):
            return kind(plain)
    except (InvalidOperation, ValueError):
        pass
    return plain
