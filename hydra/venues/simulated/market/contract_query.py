"""Which option contracts are asked for."""

from datetime import date
from decimal import Decimal

import msgspec

from hydra.venues.simulated.brokerage.contracts import OptionContract, Right


class ContractQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Contracts that fit all that is given; None: does not matter. Bounds are included."""

    underlyings: frozenset[str] | None = None
    root: str | None = None
    right: Right | None = None
    style: str | None = None
    expiration: date | None = None
    expiration_from: date | None = None
    expiration_to: date | None = None
    strike_from: Decimal | None = None
    strike_to: Decimal | None = None
    in_penny_program: bool | None = None

    def fits(self, contract: OptionContract) -> bool:
        """Whether this contract is asked for."""
        return (
            _is(self.right, contract.right)
            and _is(self.style, contract.style)
            and _is(self.expiration, contract.expiration)
            and _is(self.in_penny_program, contract.in_penny_program)
            and (self.underlyings is None or contract.underlying in self.underlyings)
            and (self.root is None or contract.symbol[:-15] == self.root)
            and (self.expiration_from is None or contract.expiration >= self.expiration_from)
            and (self.expiration_to is None or contract.expiration <= self.expiration_to)
            and (self.strike_from is None or contract.strike >= self.strike_from)
            and (self.strike_to is None or contract.strike <= self.strike_to)
        )


def _is(wanted: object, found: object) -> bool:
    return wanted is None or found == wanted
