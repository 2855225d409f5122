"""Objects that do everything but answer, for tests of the line between plugin and judge."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

import anyio


class Patient:
    """Answers when others have spoken."""

    def __init__(self) -> None:
        self.events: dict[str, anyio.Event] = {}
        self.begun: list[str] = []

    def _event(self, name: str) -> anyio.Event:
        return self.events.setdefault(name, anyio.Event())

    async def begin(self) -> None:
        """Begin something."""
        self.begun.append("it")

    async def finished(self) -> bool:
        """Whether it was begun in this loop's time."""
        await anyio.lowlevel.checkpoint()
        return self.begun == ["it"]

    async def meet(self, own: str, other: str) -> str:
        """Say one's own name, and wait until the other has said its."""
        self._event(own).set()
        await self._event(other).wait()
        return other

    async def fail(self) -> NoReturn:
        """Fail."""
        message = "as asked"
        raise ValueError(message)

    def thing(self) -> object:
        """Something that no judge can read."""
        return object()


class Rude:
    """Ends, hangs, or writes nonsense to wherever it can."""

    def leave(self) -> NoReturn:
        """End the process, and call that a success."""
        print("good bye", flush=True)  # noqa: T201 - it is told of
        os._exit(0)

    def crash(self) -> None:
        """Die."""
        os.kill(os.getpid(), signal.SIGKILL)

    def _lines(self) -> list[int]:
        """Every descriptor beyond the usual ones."""
        return [int(name) for name in os.listdir("/proc/self/fd") if int(name) > 2]  # noqa: PTH208

    def babble(self) -> None:
        """Write nonsense to every line there is."""
        self._write(b"nonsense, and enough of it to be taken for the head of a frame")

    def answer_for_the_judge(self) -> None:
        """Write what looks like an answer to every line there is."""
        self._write((1).to_bytes(8, "little") + (11).to_bytes(8, "little") + b'{"is":true}')

    def _write(self, data: bytes) -> None:
        for line in self._lines():
            try:
                os.write(line, data)
            except OSError:
                continue

    def hang_up(self) -> None:
        """Close every line there is."""
        for line in self._lines():
            try:
                os.close(line)
            except OSError:
                continue
        time.sleep(0.2)
        sys.exit(3)

    def hang(self) -> None:
        """Never answer."""
        time.sleep(3_600)

    def environment(self) -> dict[str, str]:
        """What it can see."""
        return dict(os.environ)

    def files(self) -> list[str]:
        """What lies in its home."""
        return sorted(str(path) for path in Path.home().iterdir())

    def speak(self, text: str) -> None:
        """Print something."""
        print(text, flush=True)  # noqa: T201 - it is told of
