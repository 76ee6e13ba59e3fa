"""An explanation as a page for people: the answer first, then how it came to it."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from hydra.ops.as_said import NOTHING_SAID, AsSaid
from hydra.ops.debug import render
from hydra.ops.why.story import (
    BotTold,
    CauseTold,
    EngineTold,
    Execution,
    Explanation,
    Judged,
    OrderTold,
    Standing,
    Wanted,
)
from hydra.trading.check_numbers import Number
from hydra.trading.explaining import BudgetEffect, Looked, Verdict

UNKNOWN = "unknown"
PASSES = {
    "ACTIVE": "orders may pass",
    "CLOSE_ONLY": "only orders that reduce a position may pass",
    "HALTED": "no order may pass",
}


def show(told: Explanation, venue: str, said: AsSaid = NOTHING_SAID) -> None:
    """Write the page."""
    if venue == "embedded":
        render.write("EMBEDDED VENUE: not real money, not real prices")
    for line in _lines(told):
        render.write(render.clean(said.in_words(line)))


def _lines(told: Explanation) -> Iterator[str]:
    yield told.headline
    if told.asked is not None:
        yield f"asked about: {told.question}, {told.asked.words}"
    if told.in_a_row is not None:
        row = told.in_a_row
        yield f"the newest of {row.denials:,} such denials in a row, since {row.first_at.words}"
        yield f"the first one: {row.ask}"
    yield from (f"note: {note}" for note in told.notes)
    if told.nothing is not None and told.nothing.since is not None:
        yield f"so since {told.nothing.since.words}{_where(told.nothing.line, None)}"
    if told.before is not None:
        yield f"the wish before that: {told.before.text}, at {told.before.at.words}"
        yield f"more about it: {told.before.ask}"
    if told.wanted is not None:
        yield from _section("WANTED", _wanted(told.wanted))
    if told.judged is not None:
        yield from _section("JUDGED", _judged(told.judged))
    if told.order is not None:
        yield from _section("WHAT BECAME OF IT", _order(told.order))
        yield from _section("POSITION AND MONEY", _money(told.order, told.wanted))
    if told.standing is not None:
        is_over = told.engine is not None and not told.engine.is_running
        title = "HOW THINGS STOOD WHEN IT ENDED" if is_over else "HOW THINGS STOOD THEN"
        yield from _section(title, _standing(told.standing, told.engine, told.bot))
    if told.standing_now is not None:
        title = f"HOW THINGS STAND at the end of the journal, {told.standing_now.at.words}"
        yield from _section(title, _standing(told.standing_now, None, None))


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield ""
    yield title
    yield from (f"  {line}".rstrip() for line in lines)


def _wanted(told: Wanted) -> Iterator[str]:
    prices = [f"limit {_amount(told.limit_price)} USD"] if told.limit_price is not None else []
    prices += [f"stop {_amount(told.stop_price)} USD"] if told.stop_price is not None else []
    content = [f"{told.side} {_amount(told.quantity)} {told.symbol}", told.order_type, *prices]
    yield from _facts(
        ("by", f"{told.by}, its signal {told.signal} of session {told.session}"),
        (
            "at",
            None if told.asked_at is None else f"{told.asked_at.words}{_where(told.line, None)}",
        ),
        ("what", f"{', '.join(content)}, {told.time_in_force}; {told.role}"),
        ("because", told.reason),
        ("it saw", _seen(told)),
        ("gives up at", _usd(told.protective_stop) if told.protective_stop is not None else None),
        ("in place of", told.replaces),
    )


def _seen(told: Wanted) -> str:
    price = "no price"
    if told.reference_price is not None:
        price = f"a price of {_usd(told.reference_price)}"
    return f"{price}, in the market up to {told.decided_at.words}"


def _judged(told: Judged) -> Iterator[str]:
    yield f"{told.verdict} at {told.at.words} by the risk guardian{_where(told.line, None)}"
    if told.check is not None:
        yield f"the check that said no: {_plain(told.check)}: {told.reason}"
    if told.fault:
        yield f"the situation that it judged cannot be read: {told.fault}"
        return
    causes = ", ".join(told.causes) or "nothing"
    yield f"for such an order trading was {told.state}; against it stood {causes}"
    if told.as_derived is False:
        yield "ASKED AGAIN, THE CHECKS ANSWER OTHERWISE: see `hydra-trader verify --decisions`"
    yield ""
    yield from _checks(told.checks)
    if told.budgets:
        yield ""
        yield from _budgets(told.budgets, is_denied=told.verdict == "denied")


def _checks(checks: tuple[Looked, ...]) -> Iterator[str]:
    asked = [each for each in checks if each.verdict is not Verdict.NOT_ASKED]
    others = [_plain(each.check) for each in checks if each.verdict is Verdict.NOT_ASKED]
    refused = sum(each.verdict is Verdict.REFUSED for each in asked)
    yield f"{len(asked)} checks, in the order of asking; {refused or 'none'} said no:"
    width = max(len(each.check) for each in asked)
    for each in asked:
        looked = ", ".join(_number(number) for number in each.numbers)
        mark = "ok"
        if each.verdict is Verdict.REFUSED:
            mark, looked = "NO", f"{each.reason}{looked and f' ({looked})'}"
        yield f"{mark}  {_plain(each.check).ljust(width)}  {looked}"
    if others:
        yield f"not asked of such an order: {', '.join(others)}"


def _budgets(budgets: tuple[BudgetEffect, ...], *, is_denied: bool) -> Iterator[str]:
    after = "would have been left" if is_denied else "left after it"
    yield f"what may still be lost today, in USD: before it, at stake with it, {after}"
    for each in budgets:
        amounts = (each.left_before, each.at_stake, each.left_after)
        texts = ["none granted" if each.left_before is None else _amount(amounts[0], cents=True)]
        texts += [_amount(amount, cents=True) for amount in amounts[1:]]
        yield f"{each.whose:6}  " + "  ".join(text.rjust(14) for text in texts)


def _order(told: OrderTold) -> Iterator[str]:
    at_venue = "" if told.venue_order_id is None else f"; {told.venue_order_id} at the venue"
    yield f"{told.client_order_id}{at_venue}"
    if told.version is not None:
        yield f"made by Hydra {told.version}, configuration {told.configuration}"
    for step in told.steps:
        yield f"{step.at.words}  {step.text}{_where(step.line, step.ledger_event)}"
    is_of = f"{_amount(told.filled_quantity)} of {_amount(told.quantity)} executed"
    reason = f": {told.reason}" if told.reason else ""
    yield f"now: {told.status}, {is_of}{reason}{'; it may still trade' if told.is_open else ''}"


def _money(told: OrderTold, wanted: Wanted | None) -> Iterator[str]:
    symbol = "" if wanted is None else wanted.symbol
    if not told.executions:
        yield "nothing: no execution of it is on record"
    for each in told.executions:
        yield from _execution(each, symbol)
    if len(told.executions) > 1:
        yield f"all in all: cash {_signed(told.cash)}, realised {_signed(told.realised)}"
    if told.position_now is not None:
        who = "the bot" if wanted is None else wanted.bot
        yield (
            f"as the record stands, {who} holds {_amount(told.position_now)} {symbol}; all its"
            f" trades: cash {_signed(told.cash_now)}, realised {_signed(told.realised_now)}"
        )


def _execution(each: Execution, symbol: str) -> Iterator[str]:
    yield (
        f"{each.at.words}  {_amount(each.quantity)} {symbol} at {_usd(each.price)}: position"
        f" {_amount(each.position_before)} -> {_amount(each.position_after)}, cash"
        f" {_signed(each.cash)}, realised {_signed(each.realised)}"
        f"{_where(None, each.ledger_event)}"
    )
    for quantity, price, realised in each.closed:
        yield f"    closed {_amount(quantity)} got at {_usd(price)}: {_signed(realised)}"
    if each.fee is not None:
        yield f"    of it the venue kept {_amount(each.fee)} {each.fee_asset} ({each.fee_basis})"


def _standing(told: Standing, engine: EngineTold | None, bot: BotTold | None) -> Iterator[str]:
    since = "" if told.since is None else f", since {told.since.words}"
    yield f"trading  {told.state}: {PASSES.get(told.state, 'see below')}{since}"
    for cause in told.causes:
        yield from _cause(cause)
    if engine is not None:
        by = "" if engine.version is None else f"; Hydra {engine.version}"
        by += "" if engine.configuration is None else f", configuration {engine.configuration}"
        yield f"engine   {engine.text}{by}"
    if bot is not None:
        yield f"bot      {bot.text}"


def _cause(told: CauseTold) -> Iterator[str]:
    since = "" if told.since is None else f", since {told.since.words}"
    yield f"because  {told.code} ({told.state or UNKNOWN}, {told.concerns}{since})"
    if told.detail:
        yield f"         found: {told.detail}"
    yield f"         how it ends: {told.ends}"


def _facts(*facts: tuple[str, str | None]) -> Iterator[str]:
    width = max(len(name) for name, _ in facts)
    for name, text in facts:
        if text is not None:
            yield f"{name.ljust(width)}  {text}"


def _where(line: int | None, ledger_event: int | None) -> str:
    """Where it stands on record."""
    places = [f"journal {line:,}"] if line is not None else []
    places += [f"ledger {ledger_event:,}"] if ledger_event is not None else []
    return f"  [{', '.join(places)}]" if places else ""


def _number(number: Number) -> str:
    value = number.value
    if isinstance(value, Decimal):
        text = _amount(value, cents=number.unit == "USD")
    else:
        text = UNKNOWN if value is None else f"{value:,}" if isinstance(value, int) else str(value)
    return " ".join(filter(None, (number.name, text, number.unit)))


def _usd(amount: Decimal | None) -> str:
    return f"{_amount(amount, cents=True)} USD"


def _signed(amount: Decimal | None) -> str:
    sign = "+" if amount is not None and amount > 0 else ""
    return f"{sign}{_usd(amount)}"


def _amount(amount: object, *, cents: bool = False) -> str:
    """A number as people write it; one that is none as it stands there."""
    if not isinstance(amount, Decimal):
        return UNKNOWN if amount is None else str(amount)
    text = f"{amount:,f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    whole, _, places = text.partition(".")
    return f"{whole}.{places:0<2}" if cents and places else text


def _plain(check: str) -> str:
    return check.replace("_", " ")
