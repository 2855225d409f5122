"""The commonest records in their one spelling, each with gaps for its values: written at once, and read at once.

Canonical JSON has one order and no white space, so that a record of known fields is a fixed text with gaps. What fits
the text, and in each gap the one spelling of a value, is canonical without being spelled again. What does not fit is
read, or refused with a reason, by ``codec``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from coinswarm.canonical import Spelled, canonical_json, spelled_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.episode import Episode

_GAPS = {
    "<text>": r'"([ !#-\[\]-~]*+)"',  # of ASCII, and written as it is: what must be escaped does not fit
    "<whole>": r"(0|-?[1-8][0-9]{18}|-?[1-9][0-9]{0,17})",  # so many digits are within 64 bits
    "<flag>": r"(true|false)",
    "<list>": r"\[(.*)\]",  # whatever it may hold: ``read_each`` looks into it
}
"""Gap -> what fits."""


class Form:
    """A canonical text with gaps.

    :param text: canonical JSON; ``<text>``, ``<whole>`` or ``<flag>`` stand where a value does, and ``<list>`` where a
        list does.
    """

    __slots__ = ("_pattern", "_written")

    def __init__(self, text: str) -> None:
        parts = re.split(r"(<\w+>)", text)
        self._written = "".join("%s" if part.startswith("<") else part for part in parts)
        pattern = "".join(_GAPS.get(part) or re.escape(part) for part in parts)
        self._pattern = re.compile(pattern)

    def write(self, values: Sequence[object]) -> bytes:
        """The text with these values in its gaps, as bytes.

        :raises TypeError: for a value that has no canonical form.
        :raises ValueError: for text that is not valid Unicode.
        """
        return self.spell(values).encode()

    def spell(self, values: Sequence[object]) -> str:
        """The text with these values in its gaps.

        :raises TypeError: for a value that has no canonical form.
        :raises ValueError: for text that is not valid Unicode.
        """
        try:
            told = spelled_each(values)
        except KeyError:  # not plain, as a member of an enumeration is
            told = [value if type(value) is Spelled else canonical_json(value).decode() for value in values]
        return self._written % tuple(told)

    def read(self, data: bytes) -> tuple[str, ...] | None:
        """What stands in the gaps, as text; None where the bytes are not of this form."""
        try:
            found = self._pattern.fullmatch(data.decode())
        except UnicodeDecodeError:
            return None
        return found.groups() if found is not None else None

    def read_each(self, items: str) -> list[tuple[str, ...]] | None:
        """What stands in the gaps of each of a list's items; None where one is not of this form, or there is none.

        :param items: what is between the list's brackets.
        """
        match, found, place = self._pattern.match, [], 0
        while (one := match(items, place)) is not None:
            found.append(one.groups())
            place = one.end()
            if place == len(items):
                return found
            if items[place] != ",":
                break
            place += 1
        return None


_CLOSED = (
    '{"agent":<text>,"decided_ns":<whole>,"id":<text>,"instrument":<text>,"known_ns":<whole>,"quality_bp":<whole>,'
    '"regime":<text>,"result_ppm":<whole>,"risk_ppm":<whole>,"side":<whole>,"stopped":<flag>}'
)
CLOSED = Form(_CLOSED)
"""An episode by itself."""


def told_of(episode: Episode) -> tuple[object, ...]:
    """What stands in the gaps of ``CLOSED``."""
    return (
        episode.agent, episode.decided_ns, episode.id, episode.instrument, episode.known_ns, episode.quality_bp,
        episode.regime, episode.result_ppm, episode.risk_ppm, episode.side, episode.stopped,
    )  # fmt: skip


_REMEMBER = (
    f'{{"dimension":<whole>,"episode":{_CLOSED},"space":<text>,"trade":{{"digest":<text>,"place":<text>}},'
    '"vector_digest":<text>}'
)
_BEGIN = '{"cluster":<text>,"deadline_ns":<whole>,"nonce":<whole>,"proposal":{"base_version":<whole>,"change":'
_END = '"subject":<text>},"roster":<whole>,"schema":"coinswarm.proposal/1","shard":<text>,"submitter":<text>}'

EPISODE = Form(
    _BEGIN + _REMEMBER + ',"claims":[],"evidence":[{"digest":<text>,"place":<text>}],"kind":"add_episode",' + _END
)
"""The body of an envelope with a proposal to remember an episode, which cites one thing, and claims nothing."""

REMEMBER = Form(_REMEMBER)
"""An episode that is to be remembered, as a proposal to remember several has it."""

EPISODES = Form(_BEGIN + '{"episodes":<list>},"claims":[],"evidence":[],"kind":"add_episodes",' + _END)
"""The body of an envelope with a proposal to remember several, which cites only their trades, and claims nothing.

The list's items are of the form ``REMEMBER``.
"""

BALLOT = Form(
    '{"cluster":<text>,"findings":<text>,"proposal":<text>,"roster":<whole>,"schema":"coinswarm.ballot/1",'
    '"seen_hash":<text>,"seen_index":<whole>,"shard":<text>,"verdict":<text>,"voter":<text>}'
)
"""The body of a ballot."""

ENTRY = Form(
    '{"at_ns":<whole>,"epoch":<whole>,"index":<whole>,"outcome":<text>,"proof":<list>,"proposal":<text>,'
    '"schema":"coinswarm.entry/1","submitted":<text>}'
)
"""What the hash of an entry is over, beside the hash before it."""
