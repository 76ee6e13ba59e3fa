"""The last decisions in a journal, for whoever shows them."""

from pathlib import Path
from typing import Any

import orjson

from hydra.ops.last_decisions import LastDecisions


def lines_of(*records: dict[str, Any]) -> bytes:
    return b"".join(orjson.dumps(record) + b"\n" for record in records)


INTENT = {
    "decision": {"bot": "mom_AAPL", "symbol": "AAPL", "role": "entry"},
    "side": "buy",
    "quantity": "8",
    "reason": "a cross",
}
TS = "2026-01-05T15:30:01.000000000Z"
DENIED = {"ts": TS, "event": "order_denied", "intent": INTENT, "reason": "no budget"}
APPROVED = {"ts": TS, "event": "order_approved", "intent": INTENT}
IDLE = {"ts": TS, "event": "nothing_decided", "symbol": "AAPL", "reason": "no signal",
        "source": "/hydra/bots/mom_AAPL"}  # fmt: skip
FILL = {"side": "buy", "quantity": "8", "symbol": "AAPL", "price": "116.99"}
FILLED = {"ts": TS, "event": "report_stored", "report": "OrderFilled", "content": {"fill": FILL},
          "decision": INTENT["decision"]}  # fmt: skip
REJECTED = {"ts": TS, "event": "report_stored", "report": "OrderRejected",
            "content": {"reason": "too late"}, "decision": INTENT["decision"]}  # fmt: skip
BROKEN = b'{"event":"order_denied","reason":"\xff"}\n["event":"order_denied"]\n'
ACCEPTED = {**REJECTED, "report": "OrderAccepted"}


def test_decisions_are_read_from_the_journal_as_it_grows(tmp_path: Path) -> None:
    journal = tmp_path / "app.jsonl"
    tail = LastDecisions(journal)
    tail.read()  # before there is one
    whole = lines_of(DENIED, APPROVED, ACCEPTED, FILLED, REJECTED, IDLE)

    for end in (7, 250, len(whole)):  # in the middle of a line, too
        journal.write_bytes(whole[:end])
        tail.read()

    assert list(tail.decisions) == [
        "15:30:01  mom_AAPL        DENIED entry, buy 8 AAPL: no budget",
        "15:30:01  mom_AAPL        approved entry, buy 8 AAPL: a cross",
        "15:30:01  mom_AAPL        filled buy 8 AAPL at 116.99",
        "15:30:01  mom_AAPL        REJECTED by the venue: too late",
    ]
    assert tail.words == {"mom_AAPL": "AAPL: no signal"}


def test_a_journal_begun_anew_and_one_that_is_damaged_are_read_on(tmp_path: Path) -> None:
    journal = tmp_path / "app.jsonl"
    tail = LastDecisions(journal)
    journal.write_bytes(lines_of(DENIED, DENIED))
    tail.read()

    journal.write_bytes(b'{"event":"order_denied" cut\n{"event":"order_denied"}\n' + BROKEN)
    tail.read()
    journal.rename(tmp_path / "app.jsonl.1")
    journal.write_bytes(lines_of(APPROVED, IDLE))
    tail.read()

    assert [words.split()[2] for words in tail.decisions] == ["DENIED", "DENIED", "approved"]
