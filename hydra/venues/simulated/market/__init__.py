"""What the local venue's market shows: prices, trades, bars, assets, option chains, history."""
