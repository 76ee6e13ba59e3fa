"""What of an account that is over goes on into the next one."""

from pathlib import Path

from msgspec import structs

from hydra.store.engine_files import EngineFiles
from hydra.store.ledger import Ledger
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

    record = EngineRecord.open(files, OWNER, goes_on=never)
    try:
        assert sorted(record.standing, key=lambda cause: cause.since) == goes_on
    finally:
        record.close()


def test_starts_after_unclean_ends_are_counted_beyond_the_account_i75(tmp_path: Path) -> None:
    files = EngineFiles.under(tmp_path / "state", tmp_path / "logs", "ledger.db", "app.jsonl")
    counted = []
    for wall_at in range(101, 108):
        owner = structs.replace(OWNER, wall_at=wall_at)
        # Three are of the first account, and from then on each is of another one.
        goes_on = always if wall_at < 104 else never
        record = EngineRecord.open(files, owner, goes_on=goes_on)
        counted.append(record.unclean_starts(since_wall=0))
        if wall_at == 105:
            record.end("exit code 0", 11)
        record.close()

    assert counted == [
        (),
        (102,),
        (102, 103),
        (102, 103, 104),
        (102, 103, 104, 105),
        (102, 103, 104, 105),
        (103, 104, 105, 107),
    ]


def test_of_starts_in_virtual_time_nothing_goes_on_i75(tmp_path: Path) -> None:
    files = EngineFiles.under(tmp_path / "state", tmp_path / "logs", "ledger.db", "app.jsonl")
    for _ in range(3):
        record = EngineRecord.open(files, OWNER, goes_on=never)
        assert record.unclean_starts(since_wall=0) == ()
        record.close()
    assert not files.carried_halts.exists()


def always(_: Ledger) -> bool:
    return True


def never(_: Ledger) -> bool:
    return False
