"""How many option contracts a bot may have followed: so many that no bot goes without for another.

The broker refuses a whole stream that has one contract too many, and what is held is got out of by
its quotes alone. So each plug-in has a share that no other can take, the same for all, and the
engine's own bot has what is left, which is never little.
"""

from collections.abc import Collection, Mapping

CONTRACTS_MAX = 200
"""Followed by all bots together: what the smallest of the broker's plans has."""
OWN_MIN = 40
"""For the engine's own bot, however many plug-ins there are."""
PLUGIN_MAX = 40
"""For one plug-in, however few there are."""


def contract_shares(plugins: Collection[str]) -> Mapping[str, int]:
    """How many each of these plug-ins may have, by its bot id."""
    if not plugins:
        return {}
    return dict.fromkeys(plugins, min(PLUGIN_MAX, (CONTRACTS_MAX - OWN_MIN) // len(plugins)))


def left_for_own(shares: Mapping[str, int]) -> int:
    """How many the engine's own bot may have beside these."""
    return CONTRACTS_MAX - sum(shares.values())
