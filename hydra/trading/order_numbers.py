"""What the checks of the order itself look at. See `explaining`."""

from collections.abc import Mapping
from decimal import Decimal

from hydra.trading import corporate_actions, coverage_watch, loops, order_checks
from hydra.trading.check_numbers import Look, Number, Value, age, of_entries, usd
from hydra.trading.durations import in_seconds
from hydra.trading.exact import subtract
from hydra.trading.order_checks import met_by_limit
from hydra.trading.orders import Role
from hydra.trading.risk_checks import Check
from hydra.trading.sane_numbers import numbers_are_sane
from hydra.trading.situation import Situation


def _trading_state(s: Situation) -> tuple[Number, ...]:
    causes = ", ".join(s.cause_codes) or "nothing"
    return (
        Number("trading state", s.state.name),
        Number("against it", causes),
        Number("role", s.proposal.role.value),
    )


def _sanity(s: Situation) -> tuple[Number, ...]:
    return ()


def _loop(s: Situation) -> tuple[Number, ...]:
    return (
        Number("newest loop", s.loop.number),
        Number("preflight in it", "passed" if s.loop.passed is True else "not passed"),
        Number("loops missed since", s.loop.missed),
        Number("at most", loops.LOOPS_MISSED_MAX),
    )


def _coverage(s: Situation) -> tuple[Number, ...]:
    view = s.coverage
    return (
        Number("covered", view.pct if view.is_heard is True else "not heard", "%"),
        Number("account", "seen" if view.is_known is True else "not seen"),
        Number("loops since it was told", view.silent),
        Number("at most", coverage_watch.LOOPS_SILENT_MAX),
        Number("not covered", ", ".join(view.uncovered) or "nothing"),
        Number("for", in_seconds(view.uncovered_ns), "s"),
        Number("at most", in_seconds(s.limits.protection_confirm_ns), "s"),
    )


def _symbol(s: Situation) -> tuple[Number, ...]:
    allowed = order_checks.symbols_of(s)
    return (
        Number("symbol", s.proposal.symbol),
        Number("symbols allowed", len(allowed)),
        Number("they are", ", ".join(allowed) or "none"),
    )


def _decision_age(s: Situation) -> tuple[Number, ...]:
    return age("decision", s.at - s.proposal.decided_at, s.limits.decision_age_ns_max)


def _session(s: Situation) -> tuple[Number, ...]:
    return (Number("exchange session", _open(is_open=s.market.session_open is True)),)


def _window(s: Situation) -> tuple[Number, ...]:
    return (Number("trade window", _open(is_open=s.market.window_open is True)),)


def _actions(s: Situation) -> tuple[Number, ...]:
    told = "told" if s.actions.is_answered is True else "not told"
    return (
        Number("corporate actions", told if s.actions.is_asked is not False else "nobody tells"),
        Number("near", s.actions.near or "none"),
    )


def _order_prices(s: Situation) -> tuple[Number, ...]:
    order = s.proposal
    return (
        Number("order type", order.order_type.value),
        Number("limit price", _or_none(order.limit_price)),
        Number("stop price", _or_none(order.stop_price)),
    )


def _reduction(s: Situation) -> tuple[Number, ...] | None:
    order, book = s.proposal, s.book
    if order.role is Role.ENTRY:
        return None
    return (
        Number(order.side.value, order.quantity, order.symbol),
        Number("bot's position", book.bot_position),
        Number("of it being closed", book.bot_reducing_live),
        Number("account's position", book.account_position),
        Number("of it being closed", book.account_reducing_live),
    )


def _positions(s: Situation) -> tuple[Number, ...]:
    return (
        Number("side", s.proposal.side.value),
        Number("bot's position", s.book.bot_position),
        Number("account's position", s.book.account_position),
    )


def _opposing(s: Situation) -> tuple[Number, ...]:
    return (Number("own orders on the other side", _names(s.book.opposing)),)


def _unknown(s: Situation) -> tuple[Number, ...]:
    return (Number("orders of unknown outcome", _names(s.book.unknown)),)


def _price(s: Situation) -> tuple[Number, ...] | None:
    if not _needs_price(s):
        return None
    return (
        usd("market price", s.market.price),
        usd("price decided on", s.proposal.reference_price),
    )


def _price_age(s: Situation) -> tuple[Number, ...] | None:
    if not _needs_price(s):
        return None
    return age("price", s.at - s.market.price_at, s.limits.price_age_ns_max)


def _steps(s: Situation) -> tuple[Number, ...] | None:
    found = [
        *_named(("limit price", s.proposal.limit_price), ("stop price", s.proposal.stop_price))
    ]
    if not found:
        return None
    steps = (usd(f"step from {each.from_price:f}", each.step) for each in s.market.price_steps)
    return (*found, *steps)


def _collar(s: Situation) -> tuple[Number, ...] | None:
    order = s.proposal
    prices = _named(
        ("limit price", order.limit_price),
        ("stop price", order.stop_price),
        ("price decided on", None if order.reduces else order.reference_price),
    )
    if not prices:
        return None
    met = met_by_limit(s)
    shown = [usd("market price", s.market.price)]
    if met.step:
        shown.append(usd(met.name, met.price))
    for price in prices:
        shown.append(price)
        market = met.price if price.name == "limit price" else s.market.price
        if market is not None and isinstance(price.value, Decimal):
            shown.append(usd("which is off by", subtract(price.value, market).copy_abs()))
    shown.append(Number("at most", s.limits.price_collar_pct, "%"))
    return (*shown, usd("or a step of", met.step)) if met.step else tuple(shown)


def _protective_stop(s: Situation) -> tuple[Number, ...] | None:
    order = s.proposal
    if order.protective_stop is None:
        return None
    return (
        usd(f"{order.side.value} at", order.limit_price or order.stop_price or s.market.price),
        usd("given up at", order.protective_stop),
    )


def _named(*prices: tuple[str, Decimal | None]) -> tuple[Number, ...]:
    """Those that there are."""
    return tuple(usd(name, price) for name, price in prices if price is not None)


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "none"


def _open(*, is_open: bool) -> str:
    return "open" if is_open else "closed"


def _or_none(price: Decimal | None) -> Value:
    return "none" if price is None else price


def _needs_price(s: Situation) -> bool:
    order = s.proposal
    return not order.reduces or order.limit_price is not None or order.stop_price is not None


ORDER_LOOKS: Mapping[Check, Look] = {
    order_checks.trading_is_open: _trading_state,
    numbers_are_sane: _sanity,
    loops.loop_has_passed: of_entries(_loop),
    coverage_watch.positions_are_protected: of_entries(_coverage),
    order_checks.symbol_is_allowed: of_entries(_symbol),
    order_checks.decision_is_fresh: of_entries(_decision_age),
    order_checks.session_is_open: _session,
    order_checks.window_is_open: of_entries(_window),
    corporate_actions.no_corporate_action_is_near: of_entries(_actions),
    order_checks.prices_fit_order_type: _order_prices,
    order_checks.exit_reduces_position: _reduction,
    order_checks.entry_does_not_oppose_position: of_entries(_positions),
    order_checks.no_order_opposes: _opposing,
    order_checks.no_outcome_is_unknown: of_entries(_unknown),
    order_checks.price_is_known: _price,
    order_checks.protective_stop_is_behind_price: of_entries(_protective_stop),
    order_checks.price_is_fresh: _price_age,
    order_checks.prices_are_on_step: _steps,
    order_checks.prices_are_within_collar: _collar,
}
