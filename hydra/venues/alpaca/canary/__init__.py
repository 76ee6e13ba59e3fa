"""Whether the broker is still the one that we know: answers, words, rules for orders."""
