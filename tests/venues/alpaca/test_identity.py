"""Paper and live cannot be mixed up, and the clocks agree."""

from itertools import product

import pytest

from hydra.settings.section import VenueName
from hydra.trading.durations import SECOND
from hydra.venues.alpaca.identity import (
    SKEW_MAX_NS,
    TOO_SLOW,
    Identity,
    Skew,
    clock_skew,
    identity_disagreement,
    kind_of_account,
    kind_of_host,
    kind_of_key,
    skew_fault,
)
from hydra.venues.alpaca.payloads import ClockPayload
from hydra.venues.alpaca.times import (
    nanoseconds,
    rfc3339,
)

PAPER, LIVE, EMBEDDED = VenueName.PAPER, VenueName.LIVE, VenueName.EMBEDDED
URLS = {
    PAPER: "https://paper-api.alpaca.markets",
    LIVE: "https://api.alpaca.markets",
    EMBEDDED: "http://127.0.0.1:8123",
}
KEYS = {PAPER: "PK0123456789", LIVE: "AK0123456789", EMBEDDED: "HYDRA0123456789"}
ACCOUNTS = {PAPER: "PA3ABCDEFGH", LIVE: "123456789", EMBEDDED: "PA3HYDRA0001"}


def identity(
    mode: VenueName, host: VenueName, key: VenueName, account: VenueName, bound: VenueName | None
) -> Identity:
    return Identity(
        mode=mode,
        base_url=URLS[host],
        key_id=KEYS[key],
        account_number=ACCOUNTS[account],
        bound_account=None if bound is None else ACCOUNTS[bound],
    )


@pytest.mark.parametrize("names", list(product([PAPER, LIVE], repeat=5)))
def test_of_all_32_combinations_only_the_two_that_agree_pass_i82(
    names: tuple[VenueName, VenueName, VenueName, VenueName, VenueName],
) -> None:
    disagreement = identity_disagreement(identity(*names))

    assert (disagreement is None) is (len(set(names)) == 1)


@pytest.mark.parametrize("names", list(product([PAPER, LIVE, EMBEDDED], repeat=5)))
def test_the_embedded_venue_is_mixed_up_with_neither_i82(
    names: tuple[VenueName, VenueName, VenueName, VenueName, VenueName],
) -> None:
    disagreement = identity_disagreement(identity(*names))

    assert (disagreement is None) is (len(set(names)) == 1)


def test_a_ledger_that_is_bound_to_nothing_yet_agrees_with_any() -> None:
    assert identity_disagreement(identity(PAPER, PAPER, PAPER, PAPER, None)) is None


def test_another_account_of_the_same_kind_is_another_account_i82() -> None:
    found = Identity(
        mode=PAPER,
        base_url=URLS[PAPER],
        key_id=KEYS[PAPER],
        account_number="PA3OTHER",
        bound_account="PA3ABCDEFGH",
    )

    assert identity_disagreement(found) == (
        "venue paper, account PA3OTHER: the ledger is bound to account PA3ABCDEFGH;"
        " use the keys, address and state folder of one account"
    )


def test_all_that_disagrees_is_said_in_one_line_without_the_key_i83() -> None:
    line = identity_disagreement(identity(PAPER, LIVE, LIVE, LIVE, PAPER))

    assert line == (
        "venue paper, account 123456789: the address is one of live; the key is one of live;"
        " the account is one of live; the ledger is bound to account PA3ABCDEFGH;"
        " use the keys, address and state folder of one account"
    )
    assert KEYS[LIVE] not in line


@pytest.mark.parametrize(
    ("host", "key", "account"),
    [
        ("https://api.example.com", "XX01234567", ""),
        ("https://api.alpaca.markets.example.com", "pk01234567", ""),
        ("https://127.0.0.2", "", ""),
    ],
)
def test_what_nobody_knows_is_of_no_kind(host: str, key: str, account: str) -> None:
    assert (kind_of_host(host), kind_of_key(key), kind_of_account(account)) == (None, None, None)


NOW = nanoseconds("2026-11-23T14:31:07Z")


def clock(at: int) -> ClockPayload:
    return ClockPayload(timestamp=rfc3339(at), is_open=True, next_open="", next_close="")


@pytest.mark.parametrize("ahead", [0, 1, -1, SECOND, -5 * SECOND])
def test_the_skew_is_measured_against_the_middle_of_the_call(ahead: int) -> None:
    skew = clock_skew(clock(NOW + ahead), NOW - 100, NOW + 100)

    assert skew == Skew(ahead=ahead, uncertainty=100)


@pytest.mark.parametrize(
    ("skew", "is_fine"),
    [
        (Skew(ahead=SKEW_MAX_NS, uncertainty=0), True),
        (Skew(ahead=SKEW_MAX_NS, uncertainty=1), False),
        (Skew(ahead=-SKEW_MAX_NS, uncertainty=0), True),
        (Skew(ahead=-SKEW_MAX_NS - 1, uncertainty=0), False),
        (Skew(ahead=0, uncertainty=SKEW_MAX_NS + 1), False),
    ],
)
def test_clocks_that_may_disagree_too_much_are_a_fault_i48(skew: Skew, is_fine: bool) -> None:
    assert (skew_fault(skew) is None) is is_fine


@pytest.mark.parametrize(
    ("skew", "is_too_slow"),
    [
        (Skew(ahead=0, uncertainty=SKEW_MAX_NS + 1), True),
        (Skew(ahead=-SKEW_MAX_NS, uncertainty=1), True),
        (Skew(ahead=3 * SECOND, uncertainty=SECOND), True),
        (Skew(ahead=3 * SECOND + 1, uncertainty=SECOND), False),
        (Skew(ahead=-60 * SECOND, uncertainty=9 * SECOND), False),
    ],
)
def test_a_slow_answer_is_no_fault_of_the_clock_unless_it_surely_is_one_i48(
    skew: Skew, is_too_slow: bool
) -> None:
    assert (skew_fault(skew) is TOO_SLOW) is is_too_slow


def test_a_fault_says_which_way_and_what_to_do() -> None:
    assert skew_fault(Skew(ahead=-3 * SECOND, uncertainty=SECOND // 10)) == (
        "the venue's clock is 3.000 s behind ours, give or take 0.100 s, at most 2.000 s allowed;"
        " see to the machine's clock (NTP)"
    )
