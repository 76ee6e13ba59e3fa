"""What a symbol names, by how it is spelled."""

import pytest

from hydra.trading.instruments import Instrument, instrument


@pytest.mark.parametrize(
    ("symbol", "kind"),
    [
        ("AAPL", Instrument.SHARE),
        ("F", Instrument.SHARE),
        ("BRK.B", Instrument.SHARE),
        ("BTC/USD", Instrument.COIN),
        ("AAPL261218C00200000", Instrument.OPTION),
        ("HYDR261218P00042500", Instrument.OPTION),
        ("", None),
        ("aapl", None),
        ("BTC-USD", None),
        ("BTC/", None),
        ("AAPL ", None),
        ("AAPL261218X00200000", None),
    ],
)
def test_a_symbol_is_known_by_its_spelling(symbol: str, kind: Instrument | None) -> None:
    assert instrument(symbol) is kind
