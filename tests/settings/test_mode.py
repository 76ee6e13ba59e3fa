"""Paper and live cannot be mixed up: whatever names the mode must name the same one."""

from itertools import product

import pytest

from hydra.settings import VenueName
from hydra.settings.mode import lacking, mode_disagreement
from hydra.settings.secret import Secret
from hydra.settings.secrets import Secrets

AGREEING = {
    (VenueName.PAPER, True, False),
    (VenueName.LIVE, False, True),
    *product([VenueName.EMBEDDED], (None, True, False), (True, False)),
}
ALL = list(product(VenueName, (None, True, False), (True, False)))
FULL = Secrets(
    alpaca_key=Secret("key-canary"), alpaca_secret=Secret("secret-canary"), network_disabled=False
)


@pytest.mark.parametrize(("venue", "paper", "live_switch"), ALL)
def test_only_what_agrees_in_everything_may_start_i82(
    venue: VenueName, paper: bool | None, live_switch: bool
) -> None:
    wrong = mode_disagreement(venue, Secrets(alpaca_paper=paper), live_switch)

    assert (wrong is None) == ((venue, paper, live_switch) in AGREEING)
    if wrong is not None:
        assert wrong.startswith(f"venue {venue.value}: ")
        assert ("ALPACA_PAPER" in wrong) == (paper is not (venue is VenueName.PAPER))
        assert ("HYDRA_LIVE" in wrong) == (live_switch is not (venue is VenueName.LIVE))


def test_a_disagreement_says_what_was_found_and_what_is_wanted_i82() -> None:
    assert mode_disagreement(VenueName.LIVE, Secrets(alpaca_paper=True), False) == (
        "venue live: ALPACA_PAPER is true, wanted false; HYDRA_LIVE is not set, wanted "
        "yes-real-money; correct .env, or use another --venue"
    )
    assert mode_disagreement(VenueName.PAPER, Secrets(), True) == (
        "venue paper: ALPACA_PAPER is not set, wanted true; HYDRA_LIVE is yes-real-money, wanted "
        "no such line; correct .env, or use another --venue"
    )


def test_embedded_needs_nothing_and_the_others_keys_and_the_network_i82() -> None:
    assert lacking(VenueName.EMBEDDED, Secrets()) == ()
    assert lacking(VenueName.PAPER, FULL) == ()
    assert [line.split(" is ")[0] for line in lacking(VenueName.LIVE, Secrets())] == [
        "venue live: ALPACA_KEY",
        "venue live: ALPACA_SECRET",
        (
            "venue live: LIVE_DISABLE_NETWORK refuses every connection; set it to 0 in .env to "
            "reach Alpaca"
        ),
    ]
