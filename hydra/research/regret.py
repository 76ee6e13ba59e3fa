"""The guard-regret report (K8): what each guard refused, and what that cost or saved.

For each entry that the guardian refused it is asked what trade it would have become (`forgone`).
What a bot asks for again while that trade would have lasted is the same wish, and makes no other
one; where it was let in meanwhile, its trade was made, only later; and what is beyond the bot's own
limits, had it made the trades that are thought of, it would not have asked for. A guard whose
refusals would have made money has cost it, one whose would have lost has saved it. Neither proves a
guard wrong or right; over months it shows which limit is worth a look.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from operator import attrgetter
from pathlib import Path
from typing import TypeAlias

import msgspec

from actors.momentum_bot import FLAT_BEFORE_CLOSE
from hydra.bot_terms import exit_rules_of, windows_of
from hydra.ops.artefacts import folder, story
from hydra.ops.artefacts.entries import Denied
from hydra.ops.artefacts.rows import time_cells
from hydra.ops.debug.render import aligned, number, text
from hydra.research.forgone import Forgone, Management, forgone
from hydra.research.replaying import ReplayTask
from hydra.store.export_writing import as_csv_rows
from hydra.store.exporting import Cell
from hydra.store.journal_line import moment_of
from hydra.terms import plans_of
from hydra.trading.bars import Bar
from hydra.trading.exact import plain, total
from hydra.trading.orders import DecisionKey, Fill, Role, Side
from hydra.trading.sessions import hours_of
from hydra.trading.strategies.strategy import Signal, Strategy
from hydra.trading.strategy_feed import StrategyFeed
from messages.orders import OrderFilled, OrderIntent

Place: TypeAlias = tuple[str, str]
"""A bot, and a symbol that it trades."""
Day: TypeAlias = tuple[str, str]
"""A bot, and the session (ISO date) that it counts its entries in."""
_CENT = Decimal("0.01")


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A refusal that would have become a trade; `at` is its market time (UTC ns)."""

    check: str
    reason: str
    bot: str
    symbol: str
    at: int
    trade: Forgone


class GuardRegret(msgspec.Struct, frozen=True, kw_only=True):
    """What one guard refused. Of its `refusals` so many would have been `trades`; so many came
    `later`, while the trade would have lasted, so that nothing was forgone; and of `untold` nobody
    can say: there are no bars of them, or no rules of their bot. The others were the same wish
    again, or would not have been executed.

    `made`: what the trades would have come to, in USD after fees: over zero it is forgone, below it
    is saved.
    """

    check: str
    refusals: int
    trades: int
    won: int
    lost: int
    later: int
    untold: int
    made: Decimal


class Regret(msgspec.Struct, frozen=True, kw_only=True):
    """Every guard that refused an entry, those first that it came to most with; and the trades that
    there would have been, in the order of the refusals.
    """

    guards: tuple[GuardRegret, ...]
    trades: tuple[Refused, ...]


class Entries(msgspec.Struct, frozen=True, kw_only=True):
    """The entries of a session: those that were refused, and when others were approved and executed
    (market time, UTC ns; ascending).
    """

    refused: tuple[Denied, ...]
    executed: Mapping[Place, Sequence[int]]
    approved: Mapping[Day, Sequence[int]]


class BadStory(ValueError):
    """There is no story of a session by which its entries are known. One line."""


def entries_in(bundle: Path) -> Entries:
    """What the story of a session's bundle says of its entries. Raises `BadStory`, OSError."""
    path = bundle / folder.STORY
    if not path.exists():
        raise BadStory(f"{path}: found no such file; wanted the session's story")
    try:
        return entries_of(story.lines_in(path))
    except BadStory as bad:
        raise BadStory(f"{path}: {bad}") from bad


def entries_of(lines: Iterable[story.Line]) -> Entries:
    """What these lines of a story say. Raises `BadStory`."""
    refused: list[Denied] = []
    executed: defaultdict[Place, list[int]] = defaultdict(list)
    approved: defaultdict[Day, list[int]] = defaultdict(list)
    try:
        for line in lines:
            match line["event"]:
                case "order_denied":
                    denied = _denied(line)
                    if denied.intent.decision.role is Role.ENTRY:
                        refused.append(denied)
                case "order_approved":
                    intent = msgspec.convert(line["intent"], OrderIntent)
                    if intent.decision.role is Role.ENTRY:
                        approved[_day_of(intent)].append(moment_of(line["ts"]))
                case "report_stored" if line["report"] == OrderFilled.__name__:
                    decision = msgspec.convert(line["decision"], DecisionKey | None)
                    if decision is not None and decision.role is Role.ENTRY:
                        place = decision.bot, decision.symbol
                        executed[place].append(msgspec.convert(line["content"]["fill"], Fill).at)
    except (KeyError, TypeError, ValueError, msgspec.ValidationError) as error:
        raise BadStory(
            f"found a line of an entry that is none of ours ({type(error).__name__}: {error});"
            " wanted the story as the session left it; take another session"
        ) from error
    return Entries(refused=tuple(refused), executed=executed, approved=approved)


def _denied(line: story.Line) -> Denied:
    intent = msgspec.convert(line["intent"], OrderIntent)
    return Denied(intent, line["check"], line["reason"], moment_of(line["ts"]))


def regret_of(entries: Entries, task: ReplayTask) -> Regret:
    """What the refused entries would have come to on the task's bars, by its settings and terms."""
    denied = sorted(entries.refused, key=attrgetter("at"))
    if not denied:
        return Regret(guards=(), trades=())  # of a market that never began too
    managed = managements(task, {_place_of(each.intent) for each in denied})
    bars = _by_symbol(task.data.bars, {symbol for _, symbol in managed})
    busy_until: dict[Place, int] = {}
    later, untold, thought = Counter[str](), Counter[str](), Counter[Day]()
    trades: list[Refused] = []
    for each in denied:
        intent, place = each.intent, _place_of(each.intent)
        if place not in managed or intent.side is not Side.BUY:
            untold[each.check] += 1
            continue
        # Who decided at the moment of its exit had not left yet, however late that was judged.
        if place in busy_until and intent.decided_at <= busy_until[place]:
            continue
        if _is_beyond_own_limits(each, managed[place], entries, thought, busy_until):
            continue
        known = bars[intent.decision.symbol]
        first = bisect_right(known, each.at, key=_end_at)
        if first == len(known) or each.at < known[0].start_at:
            untold[each.check] += 1
            continue
        ahead = (known[number] for number in range(first, len(known)))  # few of them are looked at
        trade = forgone(intent, each.at, ahead, managed[place], task.terms)
        if trade is None:
            continue
        until = known[-1].end_at if trade.closed_at is None else trade.closed_at
        if any(each.at <= at < until for at in entries.executed.get(place, ())):
            later[each.check] += 1
            continue
        busy_until[place] = until
        thought[_day_of(intent)] += 1
        trades.append(
            Refused(
                check=each.check,
                reason=each.reason,
                bot=place[0],
                symbol=place[1],
                at=each.at,
                trade=trade,
            )
        )
    refusals = Counter(each.check for each in denied)
    return Regret(
        guards=tuple(sorted(_guards(refusals, later, untold, trades), key=_most_first)),
        trades=tuple(trades),
    )


def _is_beyond_own_limits(
    denied: Denied,
    how: Management,
    entries: Entries,
    thought: Mapping[Day, int],
    busy_until: Mapping[Place, int],
) -> bool:
    """Whether its bot would not have asked, had it made the trades that are thought of so far."""
    intent, day = denied.intent, _day_of(denied.intent)
    most, held_most = how.trades_per_day_max, how.positions_max
    made = bisect_right(entries.approved.get(day, ()), denied.at) + thought.get(day, 0)
    if most is not None and made >= most:
        return True
    held = sum(
        bot == intent.decision.bot and intent.decided_at <= until
        for (bot, _), until in busy_until.items()
    )
    return held_most is not None and held >= held_most


def managements(task: ReplayTask, places: Collection[Place]) -> Mapping[Place, Management]:
    """How these bots look after what they buy there, of those whose rules are known.

    Those of contracts need quotes, which bars are not, and those of other distributions' bots
    nobody knows.
    """
    plans, bridge = plans_of(task.settings, task.data), task.settings.signalbot
    manage_window = windows_of(bridge.session, task.settings.system.timezone)[1]
    found: dict[Place, Management] = {}
    for plan in plans.momentum:
        if (plan.bot_id, plan.symbol) in places:
            found[plan.bot_id, plan.symbol] = Management(
                exits=plan.exits,
                manage_window=plan.manage_window,
                hours=hours_of(plan.symbol, plan.sessions),
                flat_before_close=plan.flat_before_close,
                price_steps=plan.price_steps,
                price_collar_pct=plan.price_collar_pct,
                quantity_step=plan.quantity_step,
                trades_per_day_max=plan.max_trades_per_day,
                wants_out=_wants_out(plan.new_strategy(), plan.symbol, task),
            )
    coins = plans.crypto
    for symbol, coin in {} if coins is None else coins.pairs.items():
        assert coins is not None
        if (coins.bot_id, symbol) in places:
            found[coins.bot_id, symbol] = Management(
                exits=coins.exits,
                manage_window=coins.rules.manage_window,
                hours=hours_of(symbol, coins.sessions),
                quantity_step=coin.quantity_step,
                entry_lasts=coins.rules.entry_lasts,
                trades_per_day_max=coins.rules.max_trades_per_day,
                positions_max=coins.rules.max_positions,
                wants_out=_wants_out(coins.new_strategy(), symbol, task),
            )
    for bot, symbol in places:
        if bot == bridge.bot_id and symbol in task.data.symbols:
            found[bot, symbol] = Management(
                exits=exit_rules_of(bridge.exits),
                manage_window=manage_window,
                hours=hours_of(symbol, task.data.sessions),
                flat_before_close=FLAT_BEFORE_CLOSE,
                keeps_stop=True,
            )
    return found


def _wants_out(strategy: Strategy, symbol: str, task: ReplayTask) -> frozenset[int]:
    """The ends of the bars at which the strategy says to leave."""
    feed = StrategyFeed(strategy, hours_of(symbol, task.data.sessions))
    before = [bar for bar in task.history if bar.symbol == symbol]
    feed.take_history(before[max(0, len(before) - strategy.warm_up) :])
    ends: set[int] = set()
    for bar in task.data.bars:
        if bar.symbol == symbol:
            feed.take_bar(bar)
            if feed.signal is Signal.EXIT_LONG:
                ends.add(bar.end_at)
    return frozenset(ends)


def trades_csv(regret: Regret) -> bytes:
    """Each trade that there would have been, with a header."""
    return as_csv_rows([_COLUMNS, *map(_row, regret.trades)])


def table_of(regret: Regret) -> list[str]:
    """For people: a line for each guard, and what the figures are."""
    if not regret.guards:
        return ["the guardian refused no entry"]
    columns = [
        text("GUARD", ""),
        *(number(title, "") for title in ("REFUSED", "TRADES", "WON", "LOST", "LATER", "UNTOLD")),
        number("WOULD HAVE MADE USD", ""),
        text("SO IT", ""),
    ]
    together = total(each.made for each in regret.guards)
    remark = (
        f"together {_usd(together)} USD{_saved(together)}; each trade is thought of by itself: it"
        " takes no room and no budget from another"
    )
    return [*aligned(columns, [_cells(each) for each in regret.guards]), remark]


def _row(each: Refused) -> tuple[Cell, ...]:
    trade = each.trade
    return (
        *time_cells(each.at),
        each.check,
        each.reason,
        each.bot,
        each.symbol,
        trade.quantity,
        *time_cells(trade.opened_at),
        trade.entry_price,
        *time_cells(trade.closed_at),
        trade.exit_price,
        trade.exit_reason,
        plain(trade.made),
    )


def _cells(each: GuardRegret) -> tuple[str, ...]:
    counts = (each.refusals, each.trades, each.won, each.lost, each.later, each.untold)
    verdict = "saved" if each.made < 0 else "cost" if each.made > 0 else ""
    return (each.check, *map(str, counts), _usd(each.made), verdict)


def _saved(made: Decimal) -> str:
    return ", which the guards saved" if made < 0 else ", which the guards cost" if made > 0 else ""


def _guards(
    refusals: Mapping[str, int],
    later: Mapping[str, int],
    untold: Mapping[str, int],
    trades: Sequence[Refused],
) -> Iterator[GuardRegret]:
    made: defaultdict[str, list[Decimal]] = defaultdict(list)
    for each in trades:
        made[each.check].append(each.trade.made)
    for check, count in refusals.items():
        yield GuardRegret(
            check=check,
            refusals=count,
            trades=len(made[check]),
            won=sum(1 for each in made[check] if each > 0),
            lost=sum(1 for each in made[check] if each < 0),
            later=later.get(check, 0),
            untold=untold.get(check, 0),
            made=total(made[check]),
        )


def _most_first(each: GuardRegret) -> tuple[Decimal, int, str]:
    return -abs(each.made), -each.refusals, each.check


def _place_of(intent: OrderIntent) -> Place:
    return intent.decision.bot, intent.decision.symbol


def _day_of(intent: OrderIntent) -> Day:
    return intent.decision.bot, intent.decision.session


def _by_symbol(bars: Iterable[Bar], symbols: Collection[str]) -> Mapping[str, list[Bar]]:
    found: defaultdict[str, list[Bar]] = defaultdict(list)
    for bar in bars:
        if bar.symbol in symbols:
            found[bar.symbol].append(bar)
    return found


def _usd(amount: Decimal) -> str:
    return f"{amount.quantize(_CENT) + 0:+,f}"


_COLUMNS = (
    *("refused_at", "refused_at_ns", "check", "reason", "bot", "symbol", "quantity"),
    *("opened_at", "opened_at_ns", "entry_price"),
    *("closed_at", "closed_at_ns", "exit_price", "exit_reason", "made"),
)
_end_at = attrgetter("end_at")
