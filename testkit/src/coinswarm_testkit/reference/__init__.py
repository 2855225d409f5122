"""A small, honest implementation of every kind: what the checks were written against, and where an author may begin.

Each keeps its contract and nothing more. None is meant to make money.
"""
