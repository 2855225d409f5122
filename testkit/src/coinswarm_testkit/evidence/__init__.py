"""Gold evidence of a signal agent: measured on ensembles and recorded markets, judged by ``checks.agents_evidence``.

An agent's decisions depend on market history alone, so that what it says over a history is asked for once, in columns,
and everything after that (costs, sizing, accounts, statistics) is core's own code in the judge's process.
"""
