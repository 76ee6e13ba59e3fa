"""Who watches: the tree as data, the strategies, the generic supervisor."""
