"""The process beside the plugin: ``coinswarm_testkit.worker``, started with FD, answers requests until they end.

Requests come on standard input as pickles, each behind its length; answers go out on file descriptor FD as
``wire`` writes them. Before the plugin is imported both are moved out of its way: what it prints goes to standard
error, and what it reads is empty. A frame echoes the number of its request, so that bytes the plugin writes there
are taken for nonsense by the judge, not for an answer.
"""

from __future__ import annotations

import os
import pickle
import struct
import sys
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

from coinswarm_testkit.worker import wire
from coinswarm_testkit.worker.place import Place, Raised

if TYPE_CHECKING:
    from collections.abc import Mapping

HEAD = struct.Struct("<QQ")
"""Before a frame: the number of the request, and how many bytes follow."""


def answer(place: Place, name: str, arguments: Mapping[str, Any]) -> bytes:
    """The frame's content for one request."""
    try:
        return wire.dumps({"is": place.perform(name, arguments)})
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a plugin may raise anything, SystemExit too
        raised = Raised.of(error)
        return wire.dumps({"raised": [raised.kind, raised.text, list(raised.bases)]})


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more; the first one brings the subject."""
    place: Place | None = None
    while head := requests.read(HEAD.size):
        number, size = HEAD.unpack(head)
        subject, name, arguments = pickle.loads(requests.read(size))  # noqa: S301 - the judge is trusted
        if place is None:
            place = Place(subject)
        content = answer(place, name, arguments)
        answers.write(HEAD.pack(number, len(content)) + content)
        answers.flush()


def main() -> NoReturn:
    """Move both ends of the conversation out of the plugin's way, then serve."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(int(sys.argv[1]), "wb")
    os.set_inheritable(answers.fileno(), False)  # noqa: FBT003 - its own signature
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    serve(requests, answers)
    os._exit(0)  # threads that the plugin left behind must not keep the process


if __name__ == "__main__":
    main()
