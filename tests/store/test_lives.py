"""What of an account that is over goes on into the next one."""

from pathlib import Path

from hydra.store.engine_files import EngineFiles
from hydra.store.record import EngineRecord, Owner
from hydra.trading.causes import API_FAILURES, COOLDOWN, DAILY_LOSS, OPERATOR_HALT, RECONCILIATION

OWNER = Owner(venue="embedded", account="PA-X", version="0", configuration="", at=1_000)


def test_halts_go_on_into_the_next_account_and_limits_end_with_theirs_i02(tmp_path: Path) -> None:
    files = EngineFiles.under(tmp_path / "state", tmp_path / "logs", "ledger.db", "app.jsonl")
    goes_on = [
        OPERATOR_HALT.cause(since=5, detail="smoke"),
        RECONCILIATION.cause(since=6, detail="a position too many"),
    ]
    ends = [
        API_FAILURES.cause(since=7, detail="the venue died"),
        DAILY_LOSS.cause(since=8, detail="1 percent"),
        COOLDOWN.cause(since=9, detail="three losses", subject="mom_AAPL"),
    ]
    record = EngineRecord.open(files, OWNER)
    for cause in (*ends, *goes_on):
        record.ledger.latch_halt(cause, 10)
    record.ledger.commit()
    record.end("exit code 0", 11)
    record.close()

    record = EngineRecord.open(files, OWNER, goes_on=lambda _: False)
    try:
        assert sorted(record.standing, key=lambda cause: cause.since) == goes_on
    finally:
        record.close()
