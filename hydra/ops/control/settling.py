"""The differences with the venue, and an operator's decisions about them.

A decision is about a difference that was found, as it was found: its kind and its amount go with
it. It is the persister's to put on record; then the engine compares anew.
"""

from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta

from hydra.actor import MILLISECOND, SECOND
from hydra.ops.control.asking import answered
from hydra.ops.debug.asking import Caller, let_pass
from hydra.ops.debug.describing import Refused, Row, listed, some, utc_text
from hydra.ops.debug.halting import Reason
from hydra.ops.debug.looking import Arguments, NoArguments
from hydra.runtime.runtime import Runtime
from hydra.trading.differences import Difference, DifferenceKind, advice, describe, remedies
from messages.message import Message
from messages.reconciliation import (
    Decision,
    DifferenceSettled,
    DifferencesReported,
    ReconcileNow,
    ReportDifferences,
    SettleDifference,
    SettlementRefused,
)
from supervisors import paths

ANSWER_WITHIN = 3 * SECOND
COMPARED_WITHIN = 3 * SECOND
"""A new comparison that takes longer is not waited for: the last one is told, with its time."""
LOOK_EVERY = 50 * MILLISECOND
ROWS_MAX = 1_000

Name = Annotated[str, Meta(min_length=1, max_length=500)]

_NEEDS_BOT = frozenset(
    {DifferenceKind.FOREIGN_ORDER, DifferenceKind.UNRECORDED_ORDER, DifferenceKind.POSITION}
)


class Settle(Arguments, frozen=True):
    """`kind`: which of the differences with this subject, if more than one has this way out."""

    subject: Name
    decision: Decision
    reason: Reason
    kind: DifferenceKind | None = None
    bot: Name | None = None
    price: Decimal | None = None
    amount: Decimal | None = None


def differences(runtime: Runtime, _arguments: NoArguments, caller: Caller) -> dict[str, Any]:
    """Compare with the venue now, and tell each difference with its ways out."""
    before = _reported(runtime, caller)
    runtime.tell(paths.BROKER_GATEWAY, ReconcileNow(reason=f"an operator asks ({caller.name})"))
    found = before
    until = runtime.now() + COMPARED_WITHIN
    while found.at == before.at and runtime.now() < until:
        let_pass(runtime, LOOK_EVERY, caller)
        found = _reported(runtime, caller)
    return some(
        [_row(difference) for difference in found.differences],
        ROWS_MAX,
        checked=found.checked,
        failure=found.failure,
        at=utc_text(found.at) if found.checked else None,
        is_new=found.at != before.at,
    )


def settle(runtime: Runtime, arguments: Settle, caller: Caller) -> dict[str, Any]:
    """Put on record what is to become of a difference."""
    found = _reported(runtime, caller)
    difference = _meant(found, arguments)
    amount = difference.amount if arguments.amount is None else arguments.amount
    _require_enough(arguments, difference, amount)
    runtime.log(
        "control_settle",
        "control",
        {
            "reason": arguments.reason,
            "by": caller.name,
            "kind": difference.kind.value,
            "subject": difference.subject,
            "decision": arguments.decision,
            "bot": arguments.bot,
            "price": arguments.price,
            "amount": amount,
        },
    )
    wanted = SettleDifference(
        kind=difference.kind,
        subject=difference.subject,
        decision=arguments.decision,
        reason=arguments.reason,
        operator=caller.name,
        bot=arguments.bot,
        price=arguments.price,
        amount=amount,
    )
    answer = answered(runtime, paths.STATE_PERSISTER, wanted, Message, ANSWER_WITHIN, caller)
    match answer:
        case DifferenceSettled():
            reason = f"an operator decided about {difference.subject}"
            runtime.tell(paths.BROKER_GATEWAY, ReconcileNow(reason=reason))
            return {**_row(difference), "decision": arguments.decision, "note": answer.note}
        case SettlementRefused():
            raise Refused(f"{answer.subject}: {answer.reason}")
        case _:
            raise Refused(f"the persister answered with {type(answer).__name__}, which is none")


def _reported(runtime: Runtime, caller: Caller) -> DifferencesReported:
    question = ReportDifferences()
    return answered(
        runtime, paths.BROKER_GATEWAY, question, DifferencesReported, ANSWER_WITHIN, caller
    )


def _row(difference: Difference) -> Row:
    amount = difference.amount
    return {
        "kind": difference.kind.value,
        "subject": difference.subject,
        "found": difference.found,
        "wanted": difference.wanted,
        "amount": None if amount is None else str(amount),
        "remedies": list(remedies(difference.kind)),
        "advice": advice(difference.kind),
        "line": describe(difference),
    }


def _meant(found: DifferencesReported, arguments: Settle) -> Difference:
    """The one difference that the decision is about. Raises `Refused`."""
    if not found.checked:
        reason = found.failure or "none has been made yet"
        raise Refused(f"there is no comparison with the venue to decide about: {reason}")
    named = [each for each in found.differences if each.subject == arguments.subject]
    if not named:
        subjects = dict.fromkeys(each.subject for each in found.differences)
        there_is = listed(list(subjects), 20) or "none at all"
        raise Refused(f"there is no difference named {arguments.subject}; there is {there_is}")
    if arguments.kind is not None:
        named = [each for each in named if each.kind is arguments.kind]
    fitting = [each for each in named if arguments.decision in remedies(each.kind)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        kinds = listed([each.kind.value for each in fitting])
        raise Refused(f"{arguments.subject} has differences of more kinds: say which, {kinds}")
    ways = "; ".join(f"{each.kind.value}: {advice(each.kind)}" for each in named)
    what = f"{arguments.decision} is no way out for {arguments.subject}"
    raise Refused(f"{what}; {ways}" if ways else f"{what} of that kind: it has none")


def _require_enough(arguments: Settle, difference: Difference, amount: Decimal | None) -> None:
    """What the decision cannot be put on record without, and no number that is none, also where the
    decision has no use for it. Raises `Refused`.
    """
    match arguments.decision:
        case "adopt" | "assign" if difference.kind in _NEEDS_BOT and arguments.bot is None:
            missing = "bot None; wanted the one whose it is to be"
        case "assign" if not _is_price(arguments.price):
            missing = f"price {arguments.price}; wanted what one unit is taken to have cost"
        case "adjust" if not _is_sum(amount):
            missing = f"amount {amount}; wanted a number other than zero"
        case _ if amount is not None and not amount.is_finite():
            missing = f"amount {amount}; wanted a number"
        case _ if arguments.price is not None and not arguments.price.is_finite():
            missing = f"price {arguments.price}; wanted a number"
        case _:
            return
    raise Refused(f"{difference.subject}: found {missing}")


def _is_price(price: Decimal | None) -> bool:
    return price is not None and price.is_finite() and price >= 0


def _is_sum(amount: Decimal | None) -> bool:
    return amount is not None and amount.is_finite() and amount != 0
