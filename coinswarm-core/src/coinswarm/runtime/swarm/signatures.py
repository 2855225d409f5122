"""Signatures that were good once: a ballot is checked when it comes, when it is used, and when its entry is read."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coinswarm.memory.quorum.keys import Scheme


class Remembering:
    """A scheme that knows good signatures again; what is no signature is looked at each time.

    May be used by several threads: what two of them check at once is checked twice.

    :param limit: how many it knows.
    """

    def __init__(self, scheme: Scheme, limit: int = 65_536) -> None:
        self._scheme, self._limit = scheme, limit
        self._good: OrderedDict[bytes, None] = OrderedDict()

    def verify(self, key: str, signature: str, body: bytes) -> bool:
        """Whether the signature holds."""
        name = blake2b(f"{key} {signature} ".encode() + body, digest_size=24).digest()
        if name in self._good:
            return True
        good = self._scheme.verify(key, signature, body)
        if good:
            self._good[name] = None
            if len(self._good) > self._limit:
                self._good.popitem(last=False)
        return good
