"""Values and pure calculations: where trading decisions are made, without knowing about actors."""
