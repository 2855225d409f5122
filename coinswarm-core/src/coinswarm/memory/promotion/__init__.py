"""By which rules every seat judges every proposal, and two implementations of the numbers behind them.

``voters`` are the two seats that core brings; ``standing`` is what the log says of patterns, weights, seats and rules.
docs/promotion.md has each rule and each number with its source.
"""
