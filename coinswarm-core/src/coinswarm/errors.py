"""Every error Coinswarm raises on purpose, split by who must act.

::

    CoinswarmError
      + OperatorError            the person at the keyboard must act        exit 2
        - DataError              a market data file is wrong
        - ProfileError           a profile is wrong
        - UnknownNameError       a plugin, driver or key that does not exist
        - OutputError            a run cannot be written (permission, disk full)
        - NotReadyError          something the operation needs is missing
      + PluginError              the author of a plugin must act            exit 3
        - DeclarationError       what a hook returned is not valid
        - ContractError          a declared object broke its contract
        - LoadError              a plugin could not be imported or registered
        - PayloadError           a source sent what its ingestor does not understand
      + RetryableError           nobody: trying again may help              exit 4
        - UnreachableError       the other side cannot be reached; nothing was done
        - AmbiguousError         no answer came; it may or may not have been done
        - RateLimitedError       refused for now
      + HaltedError              a person must look, then decide: restarting changes nothing    exit 5
      + InvariantError           Coinswarm's own promise broke: report it   exit 70

A message is one line that names the thing, the value and the remedy.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class CoinswarmError(Exception):
    """Root of the tree.

    :param message: what is wrong: names the thing and the value.
    :param remedy: what to do about it; appended to the message.
    """

    exit_code = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(f"{message}: {remedy}" if remedy else message)
        self.message = message
        self.remedy = remedy


class OperatorError(CoinswarmError):
    """The person who started the command must change something."""

    exit_code = 2


class DataError(OperatorError):
    """A market data file is missing, unreadable or inconsistent."""


class ProfileError(OperatorError):
    """A profile or a setting in it is not valid."""


class UnknownNameError(OperatorError):
    """A name that nothing installed answers to."""


class OutputError(OperatorError):
    """A result cannot be written."""


class NotReadyError(OperatorError):
    """The operation needs something that is not there yet."""


class PluginError(CoinswarmError):
    """The author of a plugin must change something."""

    exit_code = 3


class DeclarationError(PluginError):
    """A hook returned something that is not a valid declaration."""


class ContractError(PluginError):
    """A declared object did not do what its contract says."""


class LoadError(PluginError):
    """A plugin could not be imported or registered."""


class PayloadError(PluginError):
    """A source sent what its ingestor does not understand: it changed its format, or somebody lies."""


class RetryableError(CoinswarmError):
    """Nobody has to act; the same call may succeed later."""

    exit_code = 4


class UnreachableError(RetryableError):
    """The other side cannot be reached, and what was asked was not done."""


class AmbiguousError(RetryableError):
    """It was asked and did not answer: it may or may not have been done. Find out before asking again."""


class RateLimitedError(RetryableError):
    """The other side wants to be left alone for a while; what was asked was not done.

    :param seconds: for how long, as the other side says; 0 where it does not.
    """

    def __init__(self, message: str, *, seconds: float = 0.0, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.seconds = seconds


class HaltedError(CoinswarmError):
    """A part of the quorum stopped for good, so that nothing more is signed or written before a person has looked."""

    exit_code = 5


class InvariantError(CoinswarmError):
    """A promise of Coinswarm itself did not hold; a bug worth reporting."""

    exit_code = 70


def one_line(error: BaseException) -> str:
    r"""``ModuleNotFoundError: No module named 'nltk'``: an exception in one line, whatever it does when it is asked.

    What no record can hold, such as the bytes of a file's name that is not UTF-8, is written as ``\udcff``.
    """
    try:
        text = " ".join(str(error).split()).encode(errors="backslashreplace").decode()
    except Exception:  # noqa: BLE001 - a plugin's may fail at that too
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``did you mean 'x'?`` for the closest known name, else the list of known names.

    :param name: what was asked for.
    :param known: the names that exist.
    """
    names = sorted(set(known))
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(names)}" if names else "none are known"
