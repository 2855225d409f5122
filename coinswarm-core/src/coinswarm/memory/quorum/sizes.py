"""How many voters must agree: N ≥ 2u + f + 1 and q = ⌊(N + f) / 2⌋ + 1 (Clement et al., UpRight, 2009)."""

from __future__ import annotations

from coinswarm.domain.valid import whole


def quorum(voters: int, faulty: int) -> int:
    """How many matching ballots decide.

    Any two such sets share more than ``faulty`` voters, hence an honest one, so that no two of them can say
    different things about one proposal.

    :param voters: N, how many seats there are.
    :param faulty: f, how many of them may do anything at all.
    """
    return (voters + faulty) // 2 + 1


def spare(voters: int, faulty: int) -> int:
    """u: how many voters may be silent, the faulty ones among them, while the others still decide."""
    return voters - quorum(voters, faulty)


def check_sizes(voters: int, faulty: int) -> None:
    """Hold a configuration to N ≥ 2u + f + 1 with u ≥ f: as many as may lie may also be silent.

    :raises ValueError: naming the least number of voters.
    """
    whole("voters", voters, 1)
    whole("faulty", faulty)
    if spare(voters, faulty) < faulty:
        message = f"{voters} voters cannot bear {faulty} faulty ones: it takes {3 * faulty + 1}"
        raise ValueError(message)
