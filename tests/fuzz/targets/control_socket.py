"""The control socket: nothing halts, resumes, closes or settles but a word that says so, and but a
halt each with its reason (I04, I85, I89).
"""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from hydra.ops.control.commands import control_table
from hydra.ops.debug.halting import words_of
from hydra.ops.debug.protocol import request
from hydra.runtime.runtime import Event
from hydra.trading.differences import Difference, DifferenceKind
from hydra.trading.trading_state import TradingState
from messages.control import FlattenReported
from messages.reconciliation import DifferenceSettled
from tests.fuzz.spoiling import json_lines
from tests.fuzz.talking import require_answered, served
from tests.fuzz.target import Target, Verdict, require
from tests.ops.control.engines import FACTS, ControlledEngine, controlled

TABLE = control_table(FACTS)
WORDS = (
    *TABLE.commands,
    *("reason", "codes", "pause", "halted", "close_only", "timeout_ms", "subject", "decision"),
    *("kind", "bot", "price", "amount", "adopt", "assign", "exclude", "adjust", "mode"),
    *("operator-halt", "AAPL", "order-1", "position", "foreign_order", "why not", "defensive"),
)
DIFFERENCES = (
    Difference(
        kind=DifferenceKind.POSITION, subject="AAPL", found="3", wanted="0", amount=Decimal(3)
    ),
    Difference(
        kind=DifferenceKind.FOREIGN_ORDER, subject="order-1", found="buy 5 AAPL", wanted="none"
    ),
)
WHY = {"reason": "why not"}
SETTLE = {"subject": "AAPL", "decision": "assign", "bot": "mom", "price": "1.5", **WHY}
SEEDS = (
    request(1, "halt", {**WHY, "close_only": True, "timeout_ms": 50}) + request(2, "status", {}),
    request("x", "halt", WHY),
    request(1, "resume", {**WHY, "codes": ["operator-halt"]}),
    request(1, "flatten", {**WHY, "pause": "halted"}) + request(2, "flatten-progress", {}),
    request(1, "differences", {}) + request(2, "settle", SETTLE),
    request(1, "settle", {**WHY, "subject": "order-1", "decision": "exclude"}),
    request(1, "mode", {**WHY, "mode": "defensive"}),
    request(1, "trading-state", {}) + request(2, "commands", {}),
)


@contextmanager
def control_socket(folder: Path) -> Iterator[Target]:
    """What one client sends to an engine that is open."""
    folder.chmod(0o700)
    with controlled(folder, bots=("mom",), differences=DIFFERENCES) as engine:
        history = engine.runtime.history  # full, it keeps nothing more of a halt
        for at in range(10**9, 10**9 + (history.maxlen or 0)):
            history.append(Event(at, at, "", 0, "halted", f"at {at}"))
        told = engine.told
        told.clears_what_is_noted = False  # the gate is opened anew for each input
        told.steps = [FlattenReported(phase="flat", detail="nothing is left")]
        told.settlement = DifferenceSettled(subject="AAPL", note="")

        def feed(data: bytes) -> Verdict:
            for heard in (told.resumes, told.flattens, told.settled, told.lines, told.compared):
                heard.clear()
            engine.open_gate()
            replies = served(engine.runtime, TABLE, data)
            require_answered(data, replies)
            require(engine.runtime.settle(within=3), "somebody is still at work")
            _require_meant(engine, data)
            failed = [path for path, cell in engine.runtime.cells.items() if cell.failures]
            require(not failed, f"failed: {failed}")
            return Verdict.ACCEPTED if any(each["ok"] for each in replies) else Verdict.REFUSED

        yield Target(name="control_socket", feed=feed, seeds=SEEDS, spoil=_spoil)


def _require_meant(engine: ControlledEngine, data: bytes) -> None:
    """Whatever was done was asked for, in these words and with this reason; and is in the journal.

    The words are read a second time, by Python's own reader, and as loosely as it goes.
    """
    asked = list(_asked(data))
    told = engine.told
    if engine.gate.state is not TradingState.ACTIVE:
        details = [cause.detail for cause in engine.gate.standing()]
        reasons = [words_of(reason) for name, reason in asked if name == "halt"]
        known = all(any(detail.startswith(f"{r} (") for r in reasons) for detail in details)
        require(bool(details) and known, f"halted for {details}, asked for {reasons}"[:300])
    for name, done in (
        ("resume", [each.reason for each in told.resumes]),
        ("flatten", [each.reason for each in told.flattens]),
        ("settle", [each.reason for each in told.settled]),
    ):
        reasons = [reason for asked_name, reason in asked if asked_name == name]
        require(all(reason in reasons for reason in done), f"{name} for {done}"[:300])
        require(all(len(reason.strip()) > 0 for reason in done), f"{name} without a reason")
        noted = [str(line["reason"]) for line in engine.lines(f"control_{name}")]
        require(noted[: len(done)] == done, f"{name}: done {done}, noted {noted}"[:300])
    for settled in told.settled:
        amount = settled.amount
        require(amount is None or amount.is_finite(), f"settled with {amount}")
        require(any(each.subject == settled.subject for each in DIFFERENCES), "of nothing found")


def _asked(data: bytes) -> Iterator[tuple[str, str]]:
    """Each command with its reason, as far as lines have both, and words for a reason."""
    for line in data.split(b"\n"):
        try:
            found: Any = json.loads(line)
            command, reason = found["cmd"], found.get("args", {}).get("reason", "")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
        if isinstance(reason, str):
            yield command, reason


def _spoil(data: bytes, dice: random.Random) -> bytes:
    if dice.randrange(10) == 0:
        return data + dice.choice(SEEDS)
    return json_lines(WORDS)(data, dice)
