"""The account as the broker shows it: every figure of it at one moment."""

from decimal import Decimal

import msgspec


class AccountSheet(msgspec.Struct, frozen=True, kw_only=True):
    """The account's figures, in USD. `short_market_value` is zero or below.

    `balance_asof` is the ISO date of the session whose end gave `last_equity`. `multiplier` is 1, 2
    or 4. The flags are as on the wire.
    """

    id: str
    account_number: str
    created_at: int
    status: str
    crypto_status: str
    cash: Decimal
    equity: Decimal
    last_equity: Decimal
    buying_power: Decimal
    regt_buying_power: Decimal
    non_marginable_buying_power: Decimal
    options_buying_power: Decimal
    long_market_value: Decimal
    short_market_value: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    last_maintenance_margin: Decimal
    sma: Decimal
    accrued_fees: Decimal
    multiplier: int
    options_approved_level: int
    options_trading_level: int
    shorting_enabled: bool
    trading_blocked: bool
    account_blocked: bool
    trade_suspended_by_user: bool
    balance_asof: str
