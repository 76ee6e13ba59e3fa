"""The models of alpaca-py, as the example files name them, reading bodies as its clients do."""

from collections.abc import Callable, Mapping
from typing import Any

from alpaca.data.models import (
    Bar,
    BarSet,
    NewsSet,
    OptionsSnapshot,
    Orderbook,
    Quote,
    QuoteSet,
    Snapshot,
    Trade,
    TradeSet,
)
from alpaca.data.models.corporate_actions import CorporateActionsSet
from alpaca.trading.models import (
    AccountConfiguration,
    Asset,
    Calendar,
    Clock,
    ClosePositionResponse,
    OptionContract,
    OptionContractsResponse,
    Order,
    PortfolioHistory,
    Position,
    TradeAccount,
)
from alpaca.trading.requests import CancelOrderResponse
from pydantic import TypeAdapter

Read = Callable[[Any], object]

_CONTAINERS = ("bars", "quotes", "trades", "snapshots", "orderbooks", "corporate_actions")


def parse(model: str, body: Any) -> None:
    """Read the body with the model of this name. What it cannot read it raises."""
    READERS[model](body)


def _one(model: type) -> Read:
    return lambda body: model(**body)


def _list(model: type) -> Read:
    adapter: TypeAdapter[Any] = TypeAdapter(list[model])  # type: ignore[valid-type]
    return adapter.validate_python


def _whole(model: Callable[[Any], object]) -> Read:
    return lambda body: model(_content(body))


def _by_symbol(model: Callable[..., object]) -> Read:
    def read(body: Any) -> object:
        return {name: model(symbol=name, raw_data=row) for name, row in _content(body).items()}

    return read


def _content(body: Mapping[str, Any]) -> Any:
    """What is in the container; stock snapshots are in none."""
    return next((body[name] for name in _CONTAINERS if name in body), body)


READERS: dict[str, Read] = {
    "TradeAccount": _one(TradeAccount),
    "AccountConfiguration": _one(AccountConfiguration),
    "Asset": _one(Asset),
    "Clock": _one(Clock),
    "OptionContract": _one(OptionContract),
    "OptionContractsResponse": _one(OptionContractsResponse),
    "Order": _one(Order),
    "PortfolioHistory": _one(PortfolioHistory),
    "Position": _one(Position),
    "List[Asset]": _list(Asset),
    "List[Calendar]": _list(Calendar),
    "List[CancelOrderResponse]": _list(CancelOrderResponse),
    "List[ClosePositionResponse]": _list(ClosePositionResponse),
    "List[Order]": _list(Order),
    "List[Position]": _list(Position),
    "BarSet": _whole(BarSet),
    "QuoteSet": _whole(QuoteSet),
    "TradeSet": _whole(TradeSet),
    "CorporateActionsSet": _whole(CorporateActionsSet),
    "NewsSet": NewsSet,
    "Bar": _by_symbol(Bar),
    "Quote": _by_symbol(Quote),
    "Trade": _by_symbol(Trade),
    "Snapshot": _by_symbol(Snapshot),
    "Orderbook": _by_symbol(Orderbook),
    "OptionsSnapshot": _by_symbol(OptionsSnapshot),
}
