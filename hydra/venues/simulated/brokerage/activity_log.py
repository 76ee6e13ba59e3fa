"""The record of activities, and how it is asked."""

from decimal import Decimal

from hydra.trading.local_time import in_new_york, new_york_date
from hydra.venues.simulated.brokerage.activities import Activity, FillActivity, OtherActivity
from hydra.venues.simulated.brokerage.queries import ActivityQuery


class ActivityLog:
    """Activities in the order in which they were booked; none ever changes or goes."""

    def __init__(self) -> None:
        self._activities: list[Activity] = []
        self._places: dict[str, int] = {}

    def write(self, activity: Activity) -> None:
        """Book one."""
        self._places[activity.id] = len(self._activities)
        self._activities.append(activity)

    def page(self, query: ActivityQuery) -> tuple[Activity, ...]:
        """Those that are asked for; a page token that names none begins at the beginning."""
        activities: list[Activity] = self._activities
        place = None if query.page_token is None else self._places.get(query.page_token)
        if query.ascending:
            activities = activities if place is None else activities[place + 1 :]
        else:
            activities = (activities if place is None else activities[:place])[::-1]
        found: list[Activity] = []
        for activity in activities:
            if len(found) == query.page_size:
                break
            if _is_asked_for(activity, query):
                found.append(activity)
        return tuple(found)


def activity_id(at: int, unique: str) -> str:
    """`YYYYMMDDHHMMSSmmm::uuid`, the first part on the clock of New York."""
    local = in_new_york(at)
    return f"{local:%Y%m%d%H%M%S}{at // 1_000_000 % 1000:03d}::{unique}"


def other_activity(
    kind: str,
    at: int,
    unique: str,
    description: str,
    *,
    net_amount: Decimal = Decimal(0),
    symbol: str | None = None,
    quantity: Decimal | None = None,
    price: Decimal | None = None,
) -> OtherActivity:
    """One that is not an execution, dated to the day in New York."""
    return OtherActivity(
        id=activity_id(at, unique),
        kind=kind,
        at=at,
        date=new_york_date(at).isoformat(),
        net_amount=net_amount,
        description=description,
        symbol=symbol,
        quantity=quantity,
        price=price,
    )


def _is_asked_for(activity: Activity, query: ActivityQuery) -> bool:
    is_fill = isinstance(activity, FillActivity)
    kind = "FILL" if isinstance(activity, FillActivity) else activity.kind
    category = "trade_activity" if is_fill else "non_trade_activity"
    return (
        (query.types is None or kind in query.types)
        and query.category in (None, category)
        and query.date in (None, new_york_date(activity.at).isoformat())
        and (query.after is None or activity.at > query.after)
        and (query.until is None or activity.at < query.until)
        and (
            query.order_id is None
            or (isinstance(activity, FillActivity) and activity.order_id == query.order_id)
        )
    )
