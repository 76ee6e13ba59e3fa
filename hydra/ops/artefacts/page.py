"""A session as a page for people: `session.md`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from hydra.ops.artefacts.entries import DENIED
from hydra.ops.artefacts.halts import HaltTold
from hydra.ops.artefacts.provenance import REPLAY
from hydra.ops.artefacts.report import Report
from hydra.ops.artefacts.troubles import BROKER, ENGINE, FEED, OPERATOR, Trouble
from hydra.store.journal_line import timestamp
from hydra.trading.durations import MILLISECOND
from hydra.trading.exact import total
from hydra.trading.order_life import OrderStatus
from messages.summary import Trade

TRADES_SHOWN = 200
"""So many at most stand on the page, the newest; `trades.csv` has all."""

_NOT_REAL = {
    "embedded": "the embedded venue (not real money, not real fills)",
    REPLAY: "a venue in the same process (a replay: not real money, not real fills)",
    "paper": "the paper account at the broker (not real money)",
    "live": "the live account at the broker: REAL MONEY",
}
_WHERE = {
    REPLAY: " --state-dir FOLDER --log-dir FOLDER/logs",
    "paper": " --venue paper",
    "live": " --venue live",
}
"""Without these words a command looks at another record than the session's: the usual venue's."""
_CENT = Decimal("0.01")
_AREAS = {
    FEED: "Feed",
    BROKER: "Broker's interface",
    ENGINE: "Engine",
    OPERATOR: "Operator",
}


def page_of(report: Report, pictures: Sequence[str] = ()) -> str:
    """Markdown. `pictures` are the files of plots that lie beside it."""
    parts = [
        f"# Session {report.session}",
        " ".join(_what_happened(report)),
        _pictures(pictures),
        _bots(report),
        _trades(report.trades),
        _held(report),
        _denials(report),
        _halts(report.halts),
        _protection(report),
        _execution(report),
        _regimes(report),
        *_troubles(report.troubles),
        _ledger(report),
        _next(report),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _what_happened(report: Report) -> Iterator[str]:
    until = "to" if report.is_closed else "and goes on; this was written at"
    where = _NOT_REAL.get(report.mode, report.mode)
    yield (
        f"Hydra ran from {_minute(report.began_at)} {until} {_minute(report.told_until)} UTC on"
        f" {where}{_on_account(report)}. Prices: {report.origin}."
    )
    if report.dry_run:
        yield "It was a dry run: no order was sent."
    made = sum(report.orders.values()) - report.orders.get(DENIED, 0)
    if made:
        ends = ", ".join(
            f"{count} {end.replace('_', ' ')}"
            for end, count in report.orders.items()
            if end != DENIED
        )
        yield f"{_number(len(report.bots), 'bot')} made {_number(made, 'order')}: {ends}."
    else:
        yield "No order was made."
    working = sum(count for end, count in report.orders.items() if _is_working(end))
    if working:
        yield f"{_number(working, 'order')} may still be at the venue."
    denied = report.orders.get(DENIED, 0)
    if denied:
        yield f"The risk guardian denied {_number(denied, 'intent')}."
    yield from _result_in_words(report)
    held = ", ".join(f"{lot.bot} {lot.quantity} {lot.symbol}" for lot in report.held)
    yield f"Still held: {held}." if held else "Nothing is held."
    if report.halts:
        standing = sum(halt.cleared_at is None for halt in report.halts)
        stands = f"; {standing} still stand" if standing != 1 else "; 1 still stands"
        yield f"Trading was restricted by {_number(len(report.halts), 'cause')}{stands}."
    elif report.was_open:
        yield "Trading was not halted in between."
    if not report.was_open:
        yield "**Trading was never open.**"
    yield _end_in_words(report)


def _is_working(end: str) -> bool:
    return end != DENIED and OrderStatus(end).is_open


def _on_account(report: Report) -> str:
    return "" if report.account is None else f", account {report.account}"


def _result_in_words(report: Report) -> Iterator[str]:
    if not report.trades and not report.result:
        yield "No trade was closed."
        return
    won = sum(trade.realised > 0 for trade in report.trades)
    fees = total(bot.fees for bot in report.bots)
    after = f" after fees of {fees:.2f} USD" if fees else ""
    closed = _number(len(report.trades), "trade")
    closed += " was closed" if len(report.trades) == 1 else " were closed"
    yield f"{closed}, {won} with a gain; realised {_money(report.result)} USD{after}."


def _end_in_words(report: Report) -> str:
    if not report.is_closed:
        return "The session has not ended, or was killed a moment ago."
    code = "" if report.exit_code is None else f" (exit code {report.exit_code})"
    return f"It ended: {report.how_it_ended}{code}."


def _pictures(pictures: Iterable[str]) -> str:
    return "\n\n".join(f"![{name.removesuffix('.svg')}]({name})" for name in pictures)


def _bots(report: Report) -> str:
    rows = [
        (
            bot.bot,
            bot.orders,
            bot.denied,
            bot.trades,
            bot.won,
            _money(bot.traded),
            f"{bot.fees:.2f}",
            _money(bot.result),
        )
        for bot in report.bots
    ]
    heads = ("bot", "orders", "denied", "trades", "won", "traded USD", "fees USD", "result USD")
    if len(rows) > 1:
        bots = report.bots
        all_of_them = (
            "all",
            sum(bot.orders for bot in bots),
            sum(bot.denied for bot in bots),
            sum(bot.trades for bot in bots),
            sum(bot.won for bot in bots),
            _money(total(bot.traded for bot in bots)),
            f"{total(bot.fees for bot in bots):.2f}",
            _money(report.result),
        )
        rows.append(all_of_them)
    return "## P&L by bot\n\n" + _table(heads, rows, left=1) if rows else ""


def _trades(trades: Sequence[Trade]) -> str:
    if not trades:
        return "## Trades\n\nNone was closed."
    shown = trades[-TRADES_SHOWN:]
    left_out = len(trades) - len(shown)
    note = f"\n\nThe {left_out} before them are in `trades.csv`." if left_out else ""
    rows = [
        (
            trade.bot,
            trade.symbol,
            "long" if trade.side == "buy" else "short",
            _minute(timestamp(trade.opened_at)),
            _minute(timestamp(trade.closed_at)),
            " → ".join(reason for reason in (trade.entry_reason, trade.exit_reason) if reason),
            trade.quantity,
            f"{trade.entry_price:.2f}" if trade.entry_price > 1 else trade.entry_price,
            f"{trade.exit_price:.2f}" if trade.exit_price > 1 else trade.exit_price,
            _money(trade.realised),
        )
        for trade in shown
    ]
    heads = (
        "bot", "symbol", "side", "opened (UTC)", "closed (UTC)", "why", "quantity", "in at",
        "out at", "P&L USD",
    )  # fmt: skip
    return "## Trades\n\n" + _table(heads, rows, left=6) + note


def _held(report: Report) -> str:
    if not report.held:
        return ""
    rows = [
        (
            lot.bot,
            lot.symbol,
            lot.quantity,
            f"{lot.average_price:.4f}",
            "unknown" if lot.last_price is None else lot.last_price,
            "unknown" if lot.unrealised is None else _money(lot.unrealised),
        )
        for lot in report.held
    ]
    heads = ("bot", "symbol", "quantity", "average price", "last price told", "unrealised USD")
    return "## Still held\n\n" + _table(heads, rows, left=2)


def _denials(report: Report) -> str:
    if not report.denials:
        return "## Denials\n\nThe risk guardian denied nothing."
    rows = [
        (each.check, _minute(each.first_at), each.bot, each.symbol, each.reason, each.count)
        for each in report.denials
    ]
    heads = ("check", "first at (UTC)", "bot", "symbol", "the first in words", "times")
    return "## Denials by reason\n\n" + _table(heads, rows, left=5)


def _halts(halts: Sequence[HaltTold]) -> str:
    if not halts:
        return "## Halts\n\nNone, besides those of every start and end."
    rows = [
        (
            halt.code,
            halt.state,
            "/".join(part for part in (halt.bot, halt.symbol) if part) or "all",
            _minute(halt.since) + (" (from before)" if halt.carried else ""),
            halt.detail,
            "stands" if halt.cleared_at is None else _minute(halt.cleared_at),
            halt.cleared_by or "",
        )
        for halt in halts
    ]
    heads = ("cause", "state", "of", "since (UTC)", "what was found", "until (UTC)", "let go by")
    return "## Halts\n\n" + _table(heads, rows, left=7)


def _protection(report: Report) -> str:
    coverage = "not measured" if report.coverage_pct is None else f"{report.coverage_pct} %"
    slowest = "no order was accepted"
    if report.slowest_decision is not None:
        slowest = f"{report.slowest_decision / MILLISECOND:,.1f} ms of market time"
    return (
        "## Protection and speed\n\n"
        f"- Exit coverage: {coverage}.\n"
        f"- Slowest decision, from the bot's wish to the venue's acceptance: {slowest}."
    )


def _execution(report: Report) -> str:
    """What is not measured is not made up: a session without orders has no such section."""
    if not report.execution:
        return ""
    rows = [
        (
            each.symbol,
            each.orders,
            each.filled,
            each.rejected,
            each.unknown,
            _or_dash(each.slippage_bps),
            "–" if each.slippage_usd is None else _money(each.slippage_usd),
            _or_dash(each.latency_ms),
            _or_dash(each.score),
        )
        for each in report.execution
    ]
    heads = (
        "symbol", "orders", "filled", "rejected", "unknown", "slippage bps", "slippage USD",
        "latency ms", "score",
    )  # fmt: skip
    router = f"At worst the way of orders was {report.router or 'untried'}."
    about = "The last orders of each symbol; slippage is against the price that was decided on."
    return f"## Execution\n\n{router} {about}\n\n" + _table(heads, rows, left=1)


def _regimes(report: Report) -> str:
    if not report.regimes:
        return ""
    rows = [(each.symbol, each.regime, each.wildest, each.changes) for each in report.regimes]
    return "## Volatility\n\n" + _table(("symbol", "at last", "wildest", "changes"), rows, left=3)


def _or_dash(value: object) -> object:
    return "–" if value is None else value


def _troubles(troubles: Sequence[Trouble]) -> Iterator[str]:
    if not troubles:
        yield "## Troubles\n\nNone with the feed, the broker's interface or the engine."
        return
    yield "## Troubles"
    for area, name in _AREAS.items():
        rows = [
            (each.event, _minute(each.first_at), _minute(each.last_at), each.first, each.count)
            for each in troubles
            if each.area == area
        ]
        if rows:
            heads = ("kind", "first (UTC)", "last (UTC)", "the first in words", "times")
            yield f"### {name}\n\n" + _table(heads, rows, left=4)


def _ledger(report: Report) -> str:
    lines = []
    match report.ledger.agrees:
        case True:
            lines.append("Each bot's result and position is the ledger's, to the last digit.")
        case False:
            lines.append("**These sums are not the ledger's, which is right:**")
            lines.append("")
            lines += [f"- {found}" for found in report.ledger.found]
        case None:
            lines.append(f"Not compared with the ledger: {'; '.join(report.ledger.found)}.")
    if report.not_understood:
        lines += ["", f"{report.not_understood} lines of the story could not be understood."]
    return "## Against the ledger\n\n" + "\n".join(lines)


def _next(report: Report) -> str:
    where = _WHERE.get(report.mode, "")
    steps = [f"`hydra-trader verify{where}` checks ledger and journal as a whole."]
    if report.ledger.agrees is False:
        steps.insert(0, f"`hydra-trader export --to DIR{where}` shows what the ledger has.")
    worst = min(report.trades, key=lambda trade: trade.realised, default=None)
    if worst is not None and worst.realised < 0:
        closed = timestamp(worst.closed_at)
        steps.insert(
            0,
            f"`hydra-trader why {worst.bot} {worst.symbol} {closed[:16]}Z{where}`: the largest"
            f" loss, {_money(worst.realised)} USD.",
        )
    if report.denials:
        first = report.denials[0]
        steps.insert(
            0,
            f"`hydra-trader why {first.bot} {first.symbol} {first.first_at[:16]}Z{where}`: why"
            f" {first.check} said no.",
        )
    is_replay = report.mode == REPLAY
    if not is_replay and any(halt.cleared_at is None for halt in report.halts):
        steps.insert(0, f"`hydra-trader status{where}` says what stands, and who can let it go.")
    note = "\n\nFOLDER is the one in which this page lies." if is_replay else ""
    return "## What to look at next\n\n" + "\n".join(f"- {step}" for step in steps) + note


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]], *, left: int) -> str:
    """The first `left` columns are text, the others numbers."""
    marks = [":--" if number < left else "--:" for number in range(len(heads))]
    lines = [heads, marks, *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(value: object) -> str:
    """Text from elsewhere must not end a cell, nor be taken for a tag."""
    text = " ".join(str(value).split())
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def _minute(ts: str) -> str:
    return f"{ts[:10]} {ts[11:16]}"


def _money(amount: Decimal) -> str:
    return f"{amount:+,.2f}"


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
