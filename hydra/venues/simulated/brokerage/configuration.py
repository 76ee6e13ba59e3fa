"""What the owner of the account has set about it."""

import msgspec


class AccountConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    """The account's configuration as the broker keeps it; a `Configure` request changes it.

    `suspend_trade` refuses every new order, while cancels still work. The options level in force is
    the smaller of `max_options_trading_level` and what the account was approved for.
    """

    no_shorting: bool = False
    suspend_trade: bool = False
    fractional_trading: bool = True
    max_margin_multiplier: str = "2"
    trade_confirm_email: str = "all"
    ptp_no_exception_entry: bool = False
    max_options_trading_level: int | None = None
    disable_overnight_trading: bool = False
