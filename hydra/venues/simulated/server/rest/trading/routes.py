"""The paths of the trading plane."""

from hydra.venues.simulated.server.rest.routing import at_path
from hydra.venues.simulated.server.rest.trading import (
    account,
    activities,
    assets,
    calendar,
    contracts,
    orders,
    positions,
)

ROUTES = (
    at_path(
        "/v2/orders",
        {"POST": orders.place, "GET": orders.list_all, "DELETE": orders.cancel_all},
    ),
    at_path("/v2/orders:by_client_order_id", {"GET": orders.get_by_client_order_id}),
    at_path(
        "/v2/orders/{order_id}",
        {"GET": orders.get, "PATCH": orders.replace, "DELETE": orders.cancel},
    ),
    at_path("/v2/positions", {"GET": positions.list_all, "DELETE": positions.close_all}),
    at_path("/v2/positions/{asset}", {"GET": positions.get, "DELETE": positions.close}),
    at_path("/v2/positions/{asset}/exercise", {"POST": positions.exercise}),
    at_path("/v2/positions/{asset}/do-not-exercise", {"POST": positions.do_not_exercise}),
    at_path("/v2/account", {"GET": account.get}),
    at_path(
        "/v2/account/configurations",
        {"GET": account.get_configuration, "PATCH": account.configure},
    ),
    at_path("/v2/account/portfolio/history", {"GET": account.portfolio_history}),
    at_path("/v2/account/activities", {"GET": activities.list_all}),
    at_path("/v2/account/activities/{kind}", {"GET": activities.list_of_kind}),
    at_path("/v2/clock", {"GET": calendar.clock}),
    at_path("/v2/calendar", {"GET": calendar.calendar}),
    at_path("/v2/assets", {"GET": assets.list_all}),
    at_path("/v2/assets/{name:path}", {"GET": assets.get}),
    at_path("/v2/options/contracts", {"GET": contracts.list_all}),
    at_path("/v2/options/contracts/{name}", {"GET": contracts.get}),
)
