"""The session: state, decide, weigh, risk, orders, in every mode."""
