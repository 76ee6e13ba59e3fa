"""The bots: each alone with its own restart budget, then quarantined. A new bot is named here."""

from actors.crypto_bot import CryptoBot, CryptoPlan
from actors.exit_bot import ExitBot
from actors.momentum_bot import MomentumBot, MomentumPlan
from actors.options_bot import OptionsBot, OptionsPlan
from actors.portfolio_bot import PortfolioBot
from hydra.actor import MINUTE, SECOND, ChildSpec, MailboxSpec, Overflow
from hydra.ports import OptionChains
from hydra.trading.durations import HOUR
from hydra.trading.exit_plans import ExitTerms
from supervisors import paths
from supervisors.outsiders import Outsider
from supervisors.strategies import Intensity, OnExceeded, Strategy, Supervision
from supervisors.supervisor import Supervisor

POLICY = Supervision(
    strategy=Strategy.ONE_FOR_ONE,
    # The second is for one that fails at each of its bars: restarted for ever, it would look well.
    intensity=(Intensity(3, MINUTE), Intensity(10, HOUR)),
    on_exceeded=OnExceeded.QUARANTINE,
)

NOTHING_LOST = MailboxSpec(overflow=Overflow.FAIL)
"""A bot that misses a fill does not know what it holds: it starts again, from the record."""


def bots(
    momentum: tuple[MomentumPlan, ...],
    crypto: CryptoPlan | None = None,
    outsiders: tuple[Outsider, ...] = (),
    *,
    options: OptionsPlan | None = None,
    chains: OptionChains | None = None,
    exits: ExitTerms | None = None,
    has_portfolio: bool = False,
) -> ChildSpec:
    """The bots supervisor's specification. `has_portfolio`: with the one that proposes budgets;
    `exits`: with the one that proves protection. Without both of them nobody enters anything.
    `chains`: where the options bot reads them; without that there is none.
    """
    children = tuple(
        ChildSpec(
            name=plan.bot_id,
            actor=MomentumBot,
            args={
                "plan": plan,
                "guardian": paths.RISK_GUARDIAN,
                "feed": paths.DATA_FEED,
                "persister": paths.STATE_PERSISTER,
            },
            mailbox=NOTHING_LOST,
        )
        for plan in momentum
    )
    if options is not None and chains is not None:
        children += (options_bot(options, chains),)
    if crypto is not None:
        children += (crypto_bot(crypto),)
    children += tuple(each.spec for each in outsiders)
    if exits is not None:
        children = (exit_bot(exits), *children)  # before all whose positions it looks after
    if has_portfolio:
        children = (portfolio_bot(), *children)  # the first, so that budgets wait for nobody
    return ChildSpec(
        name=paths.BOTS.name,
        actor=Supervisor,
        args={"children": children, "policy": POLICY},
        hang_after=10 * SECOND,
    )


def crypto_bot(plan: CryptoPlan) -> ChildSpec:
    """The bot on coins."""
    return ChildSpec(
        name=plan.bot_id,
        actor=CryptoBot,
        args={"plan": plan, "guardian": paths.RISK_GUARDIAN, "feed": paths.DATA_FEED},
        mailbox=NOTHING_LOST,
    )


def options_bot(plan: OptionsPlan, chains: OptionChains) -> ChildSpec:
    """The bot on options."""
    return ChildSpec(
        name=plan.bot_id,
        actor=OptionsBot,
        args={
            "plan": plan,
            "guardian": paths.RISK_GUARDIAN,
            "feed": paths.DATA_FEED,
            "chains": chains,
        },
        mailbox=NOTHING_LOST,
    )


def exit_bot(terms: ExitTerms) -> ChildSpec:
    """The bot that proves protection, and closes what nobody does."""
    return ChildSpec(
        name=paths.EXIT_BOT.name,
        actor=ExitBot,
        args={
            "terms": terms,
            "guardian": paths.RISK_GUARDIAN,
            "persister": paths.STATE_PERSISTER,
            "gateway": paths.BROKER_GATEWAY,
            "flattener": paths.FLATTENER,
        },
        mailbox=NOTHING_LOST,
    )


def portfolio_bot() -> ChildSpec:
    """The bot that proposes budgets."""
    return ChildSpec(
        name=paths.PORTFOLIO_BOT.name,
        actor=PortfolioBot,
        args={"guardian": paths.RISK_GUARDIAN},
    )
