"""The commonest records in their one spelling, each with gaps for its values: written at once, and read at once.

Canonical JSON has one order and no white space, so that a record of known fields is a fixed text with gaps. What fits
the text, and in each gap the one spelling of a value, is canonical without being spelled again. What does not fit is
read, or refused with a reason, by ``codec``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from coinswarm.canonical import canonical_json, spelled

if TYPE_CHECKING:
    from collections.abc import Sequence

_GAPS = {
    "<text>": r'"([ !#-\[\]-~]*+)"',  # of ASCII, and written as it is: what must be escaped does not fit
    "<whole>": r"(0|-?[1-8][0-9]{18}|-?[1-9][0-9]{0,17})",  # so many digits are within 64 bits
    "<flag>": r"(true|false)",
}
"""Gap -> what fits."""


class Form:
    """A canonical text with gaps.

    :param text: canonical JSON; ``<text>``, ``<whole>`` or ``<flag>`` stand where a value does, and ``<list>`` where a
        list does in a form that is only written.
    """

    __slots__ = ("_pattern", "_written")

    def __init__(self, text: str) -> None:
        parts = re.split(r"(<\w+>)", text)
        self._written = "".join("%s" if part.startswith("<") else part for part in parts)
        pattern = "".join(_GAPS.get(part) or re.escape(part) for part in parts)
        self._pattern = re.compile(pattern)

    def write(self, values: Sequence[object]) -> bytes:
        """The text with these values in its gaps.

        :raises TypeError: for a value that has no canonical form.
        :raises ValueError: for text that is not valid Unicode.
        """
        try:
            told = [spelled(value) for value in values]
        except KeyError:  # not plain, as a member of an enumeration is
            told = [canonical_json(value).decode() for value in values]
        return (self._written % tuple(told)).encode()

    def read(self, data: bytes) -> tuple[str, ...] | None:
        """What stands in the gaps, as text; None where the bytes are not of this form."""
        try:
            found = self._pattern.fullmatch(data.decode())
        except UnicodeDecodeError:
            return None
        return found.groups() if found is not None else None


EPISODE = Form(
    '{"cluster":<text>,"deadline_ns":<whole>,"nonce":<whole>,"proposal":{"base_version":<whole>,"change":'
    '{"dimension":<whole>,"episode":{"agent":<text>,"decided_ns":<whole>,"id":<text>,"instrument":<text>,'
    '"known_ns":<whole>,"quality_bp":<whole>,"regime":<text>,"result_ppm":<whole>,"risk_ppm":<whole>,"side":<whole>,'
    '"stopped":<flag>},"space":<text>,"trade":{"digest":<text>,"place":<text>},"vector_digest":<text>},"claims":[],'
    '"evidence":[{"digest":<text>,"place":<text>}],"kind":"add_episode","subject":<text>},"roster":<whole>,'
    '"schema":"coinswarm.proposal/1","shard":<text>,"submitter":<text>}'
)
"""The body of an envelope with a proposal to remember an episode, which cites one thing, and claims nothing."""

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
