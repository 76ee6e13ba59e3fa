from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.fees import CryptoFee, crypto_fee
from hydra.venues.simulated.brokerage.terms import BrokerageTerms

TERMS = BrokerageTerms()
QUANTITIES = st.decimals("0.000000001", 1000, places=9)
PRICES = st.decimals("0.01", 100_000, places=2)


def test_a_purchase_pays_in_the_coin_and_a_sale_in_money() -> None:
    quantity, price = Decimal("0.0125"), Decimal(61250)

    bought = crypto_fee(Side.BUY, quantity, price, makes=False, terms=TERMS)
    sold = crypto_fee(Side.SELL, quantity, price, makes=False, terms=TERMS)

    # 0.0125 were bought and 0.01246875 arrive, as in the documented position.
    assert bought == CryptoFee(coins=Decimal("0.00003125"), usd=Decimal(0))
    assert sold == CryptoFee(coins=Decimal(0), usd=Decimal("1.9140625"))


def test_who_makes_the_market_pays_less() -> None:
    made = crypto_fee(Side.SELL, Decimal(1), Decimal(10_000), makes=True, terms=TERMS)

    assert made == CryptoFee(coins=Decimal(0), usd=Decimal(15))


@given(QUANTITIES, PRICES, st.booleans())
def test_a_fee_in_coins_is_in_billionths_and_at_most_the_whole(
    quantity: Decimal, price: Decimal, makes: bool
) -> None:
    fee = crypto_fee(Side.BUY, quantity, price, makes=makes, terms=TERMS)

    assert 0 < fee.coins <= quantity
    assert fee.coins == fee.coins.quantize(Decimal("0.000000001"))
