"""A file of option quotes for the local venue: contracts that agree with themselves, or refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from math import isfinite
from pathlib import Path

from hydra.venues.bar_rows import BadData
from hydra.venues.simulated.market.chain_rows import TAKEN, WANTED, read_days
from tests.fuzz.spoiling import spoilt_fields
from tests.fuzz.target import Target, Verdict, require, require_one_line

ROWS = (
    "2026-11-20,HYDR,HYDR261218C00042500,2026-12-18,C,42.5,41.2,1.4,1.44,0.31,0.48,0.07,-0.03,0.05,1.4,9",
    "2026-11-20,HYDR,HYDR261218P00042500,2026-12-18,P,42.5,41.2,2.5,2.6,0.31,-0.52,0.07,,,,",
    "2026-11-23,HYDR,HYDR261218C00042500,2026-12-18,C,42.500,41.3,0,0,0.3,0.5,0.07,-0.03,0.05,1.5,9",
)
SEED = "\n".join((",".join((*WANTED, *TAKEN)), *ROWS, "")).encode()
ODD = (
    *("", "nan", "inf", "-1", "0", "1e309", "C", "P", "c", "42.50", "42.5001", "2026-12-19"),
    *("2026-11-20", "0001-01-01", "20261218", "HYDR261218C00042500", "HYDR", '"', '"a"'),
)


@contextmanager
def option_chain(folder: Path) -> Iterator[Target]:
    """The file's text."""
    path = folder / "chain.csv"

    def feed(data: bytes) -> Verdict:
        path.write_bytes(data)
        try:
            days = read_days(path)
        except BadData as bad:
            require_one_line(bad)
            return Verdict.REFUSED
        require(all(one.day < other.day for one, other in pairwise(days)), "dates out of order")
        for day in days:
            require(bool(day.rows) and day.underlying == days[0].underlying, "an odd day")
            for symbol, row in day.rows.items():
                numbers = (row.underlying_close, row.bid, row.ask, row.volatility, row.delta)
                require(all(map(isfinite, numbers)), f"not finite: {symbol} {row}")
                require(row.underlying_close > 0 and row.bid >= 0 and row.ask >= 0, f"{row}")
        return Verdict.ACCEPTED

    spoil = partial(spoilt_fields, odd=ODD)
    yield Target(name="option_chain", feed=feed, seeds=(SEED,), spoil=spoil)
