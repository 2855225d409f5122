"""The judge's end of a worker: a process started for one link, asked over pipes, ended whatever it does."""

from __future__ import annotations

import json
import os
import pickle
import selectors
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from coinswarm.plugins.catalogue import DECLARING
from coinswarm_testkit.forkserver import LostError
from coinswarm_testkit.link import Link
from coinswarm_testkit.probe import SCRIPT
from coinswarm_testkit.starting import interpreter, surroundings
from coinswarm_testkit.verdicts import NoAnswerError, PluginRaisedError
from coinswarm_testkit.worker import wire
from coinswarm_testkit.worker.__main__ import HEAD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from coinswarm_testkit.starting import Starter
    from coinswarm_testkit.subject import Subject

PATIENCE_SECONDS = 120.0
"""No operation takes nearly as long: who has not answered by then hangs."""

LEAVING_SECONDS = 5.0
"""How long a process that has closed the line may take to end."""


def probed(
    module: str, heavy: Iterable[str], *, environment: Mapping[str, str], paths: Sequence[str]
) -> dict[str, Any]:
    """What a bare process found when it imported a module and asked its hooks: see ``probe``.

    :param paths: folders in which it finds modules, beside what is installed.
    :raises NoAnswerError: when it ended or hung instead of answering.
    """
    told = (sorted(heavy), [hook for _, hook, _ in DECLARING])
    with tempfile.TemporaryDirectory(prefix="coinswarm-probe-") as home:
        reader, writer = os.pipe()
        with os.fdopen(reader, "rb") as answers:
            try:
                ran = subprocess.run(  # noqa: S603 - an argument list of our own
                    [*interpreter("-B", code=SCRIPT, paths=paths), str(writer), module, *map(json.dumps, told)],
                    cwd=home,
                    env=surroundings(Path(home)) | dict(environment),
                    pass_fds=(writer,),
                    capture_output=True,
                    stdin=subprocess.DEVNULL,
                    timeout=PATIENCE_SECONDS,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                message = f"importing {module} does not end within {PATIENCE_SECONDS:.0f} s"
                raise NoAnswerError(message) from None
            finally:
                os.close(writer)
            data = answers.read(1 << 20)
    try:
        found = json.loads(data)
        float(found["seconds"])
    except (ValueError, TypeError, KeyError):
        message = f"importing {module} ends the process (exit code {ran.returncode})"
        raise NoAnswerError(message) from None
    answer: dict[str, Any] = found
    return answer


class Remote(Link):
    """A link to a process of its own, which sees an empty home and nothing of ours.

    :param subject: what is judged there.
    :param starter: of the process.
    """

    def __init__(self, subject: Subject, starter: Starter) -> None:
        self.subject, self._starter = subject, starter
        self._number = 0

    def __enter__(self) -> Self:
        """Start it.

        :raises NoAnswerError: when what it is forked from is gone.
        """
        with ExitStack() as stack:
            folder = tempfile.TemporaryDirectory(prefix="coinswarm-worker-", ignore_cleanup_errors=True)
            self._folder = Path(stack.enter_context(folder))
            self._printed = stack.enter_context((self._folder / "output").open("wb+"))
            home = self._folder / "home"
            home.mkdir()
            self._answers, writer = os.pipe()
            stack.callback(os.close, self._answers)
            try:
                self._process = self._starter.start(home, self._printed.fileno(), writer)
            except LostError as error:
                raise NoAnswerError(str(error)) from None
            finally:
                os.close(writer)
            stack.callback(self._process.end)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def output(self) -> str:
        """What the process has printed so far."""
        self._printed.flush()
        return (self._folder / "output").read_text(encoding="utf-8", errors="replace")

    def ask(self, operation: str, /, **arguments: Any) -> Any:  # noqa: ANN401 - whatever it answers
        """What a named operation answers.

        :raises PluginRaisedError: when the plugin raised.
        :raises NoAnswerError: when the process ended, hung, or wrote no answer.
        """
        self._number += 1
        request = pickle.dumps((self.subject, operation, arguments))
        try:
            self._process.requests.write(HEAD.pack(self._number, len(request)) + request)
            self._process.requests.flush()
        except OSError:
            raise NoAnswerError(self._ended(operation)) from None
        number, size = HEAD.unpack(self._read(HEAD.size, operation))
        if number != self._number or size > wire.MOST_BYTES:
            message = f"its process wrote something that is no answer to {operation}"
            raise NoAnswerError(message)
        try:
            answer = wire.loads(self._read(size, operation))
        except wire.WireError as error:
            message = f"its process gave {error} to {operation}"
            raise NoAnswerError(message) from None
        match answer:
            case {"raised": [str() as kind, str() as text, [*bases]]}:
                raise PluginRaisedError(kind, text, tuple(map(str, bases)))
            case {"is": found}:
                return found
        message = f"its process wrote something that is no answer to {operation}"
        raise NoAnswerError(message)

    def _read(self, size: int, operation: str) -> bytes:
        """So many bytes of its answers.

        :raises NoAnswerError: when they do not come.
        """
        parts: list[bytes] = []
        until = time.monotonic() + PATIENCE_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            while size:
                if not selector.select(max(0.0, until - time.monotonic())):
                    message = f"its process did not answer {operation} within {PATIENCE_SECONDS:.0f} s"
                    raise NoAnswerError(message)
                part = os.read(self._answers, min(size, 1 << 20))
                if not part:
                    raise NoAnswerError(self._ended(operation))
                parts.append(part)
                size -= len(part)
        return b"".join(parts)

    def _ended(self, operation: str) -> str:
        """How the process ended, with the last line that it printed."""
        code = self._process.wait(LEAVING_SECONDS)
        if code is None:
            return f"its process closed the line while asked {operation}"
        last = (self.output().strip().splitlines() or ["it printed nothing"])[-1][:200]
        how = f"by signal {-code}" if code < 0 else f"with code {code}"
        return f"its process ended {how} while asked {operation}: {last}"
