"""What the risk guardian is held to, and how it takes other terms while it runs."""

from collections.abc import Mapping

import msgspec

from hydra.trading.clearing import ClearingPolicy
from hydra.trading.desk_terms import DeskTerms
from hydra.trading.kill_conditions import ALL_HALT, KillConditions
from hydra.trading.risk_checks import Check
from hydra.trading.trading_state import Cause
from messages.message import Message


class GuardianTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What the guardian is held to.

    `configuration` is the digest of the settings from which all of it follows: it stands beside
    every judgement (I81). `closed`: what the configuration alone holds against a bot's entries.
    It is never latched: it stands as long as these terms do.
    """

    account: str
    desk: DeskTerms
    clearing: ClearingPolicy
    loop_interval: int
    """How long a loop takes, ns of machine time."""
    kill: KillConditions = ALL_HALT
    """Which of the exit bot's conditions halt."""
    configuration: str = ""
    closed: tuple[Cause, ...] = ()
    brought: tuple[Check, ...] = ()
    """Plug-ins' checks, asked about entries behind our own."""
    foreign: Mapping[str, str] = {}
    """Where the bots live that other distributions brought, each with its id: it decides in its
    own name only."""


class TakeTerms(Message, frozen=True, kw_only=True):
    """Be held to these from now on, all of them at once. Answered by `TermsTaken`.

    In its place among the orders: what was asked before it is judged by the terms of before.
    """

    terms: GuardianTerms


class TermsTaken(Message, frozen=True, kw_only=True):
    """Every order from here on is judged by the terms of this configuration."""

    configuration: str
