"""Whether all that names a mode names the same one (I82), and whether the broker's clock is ours.

Mode, host, key, account and the account that the ledger is bound to each say one of embedded, paper
or live. Unless all five say the same there is no trading; what says something else is named.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

import msgspec

from hydra.settings.section import VenueName
from hydra.trading.echo import words
from hydra.trading.venue_clock import SKEW
from hydra.venues.alpaca.payloads import ClockPayload
from hydra.venues.alpaca.times import nanoseconds

HOSTS = {
    "paper-api.alpaca.markets": VenueName.PAPER,
    "api.alpaca.markets": VenueName.LIVE,
    "127.0.0.1": VenueName.EMBEDDED,
    "::1": VenueName.EMBEDDED,
    "localhost": VenueName.EMBEDDED,
}
KEY_PREFIXES = {"HYDRA": VenueName.EMBEDDED, "PK": VenueName.PAPER, "AK": VenueName.LIVE}
SKEW_MAX_NS = SKEW
"""PROTOCOL's bound, tighter than the one of the clock watch: it is read once, at rest."""
TOO_SLOW = "the answer took too long to tell whether the venue's clock is ours"
"""A fault of the connection: no clock has to be put right, and the next answer may tell."""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `key_id` is the public half of the key pair, and is never shown whole.

    `bound_account`: the account on record, None if nothing was ever compared.
    """

    mode: VenueName
    base_url: str
    key_id: str
    account_number: str
    bound_account: str | None


def identity_disagreement(identity: Identity) -> str | None:
    """Why there is to be no trading, in one line with what to do; None: all agree."""
    mode = identity.mode
    wrong = list(_wrong(identity))
    bound = identity.bound_account
    if bound is not None and bound != identity.account_number:
        wrong.append(f"the ledger is bound to account {words(bound)}")
    if not wrong:
        return None
    return (
        f"venue {mode.value}, account {words(identity.account_number)}: {'; '.join(wrong)};"
        " use the keys, address and state folder of one account"
    )


def kind_of_host(base_url: str) -> VenueName | None:
    """Which broker answers there; None: nobody that we know."""
    return HOSTS.get(urlsplit(base_url).hostname or "")


def kind_of_key(key_id: str) -> VenueName | None:
    """What the key opens, by how it begins; None: nobody knows."""
    for prefix, kind in KEY_PREFIXES.items():
        if key_id.startswith(prefix):
            return kind
    return None


def kind_of_account(number: str) -> VenueName | None:
    """Paper accounts begin with PA, and those of the local venue have HYDRA in them besides."""
    if not number:
        return None
    if not number.startswith("PA"):
        return VenueName.LIVE
    return VenueName.EMBEDDED if "HYDRA" in number else VenueName.PAPER


def _wrong(identity: Identity) -> Iterable[str]:
    mode, bound = identity.mode, identity.bound_account
    found = [
        ("the address is", kind_of_host(identity.base_url)),
        ("the key is", kind_of_key(identity.key_id)),
        ("the account is", kind_of_account(identity.account_number)),
    ]
    if bound is not None:
        found.append(("the ledger's account is", kind_of_account(bound)))
    for what, kind in found:
        if kind is not mode:
            yield f"{what} {'of no known kind' if kind is None else f'one of {kind.value}'}"


class Skew(msgspec.Struct, frozen=True, kw_only=True):
    """How far the broker's clock is ahead of ours (ns); the truth lies within `uncertainty`."""

    ahead: int
    uncertainty: int


def clock_skew(clock: ClockPayload, sent_at: int, received_at: int) -> Skew:
    """Held against the middle of the call, in market time (UTC ns). Raises `BadAnswer`."""
    return Skew(
        ahead=nanoseconds(clock.timestamp) - (sent_at + received_at) // 2,
        uncertainty=(received_at - sent_at + 1) // 2,
    )


def skew_fault(skew: Skew, most: int = SKEW_MAX_NS) -> str | None:
    """What is wrong with the clocks, in one line; None if they agree within `most` (ns).

    A call that took so long that nothing can be said is a fault as well: `TOO_SLOW`.
    """
    if abs(skew.ahead) + skew.uncertainty <= most:
        return None
    if abs(skew.ahead) - skew.uncertainty <= most:
        return TOO_SLOW
    way = "ahead of" if skew.ahead > 0 else "behind"
    return (
        f"the venue's clock is {abs(skew.ahead) / 1e9:.3f} s {way} ours, give or take"
        f" {skew.uncertainty / 1e9:.3f} s, at most {most / 1e9:.3f} s allowed; see to the"
        " machine's clock (NTP)"
    )
