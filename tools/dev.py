"""What ``./dev`` does once it has found a Python: make the environment, then run the demo, the stages or tox."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
import time
from xml.etree import ElementTree as ET

from environment import MakeError, ensure, say
from layout import RESULTS, ROOT, STAGES


def demo(arguments: list[str]) -> int:
    """Run ``coinswarm demo`` as a user would, in the folder the person stands in."""
    script = ensure("demo") / "coinswarm"
    os.execv(script, [str(script), "demo", *arguments])  # noqa: S606 - no shell is wanted


def tox(name: str, arguments: list[str]) -> int:
    """Run one tox environment; the arguments are its positional ones."""
    config = configparser.ConfigParser()
    config.read(ROOT / "tox.ini", encoding="utf-8")
    known = [section.removeprefix("testenv:") for section in config.sections() if section.startswith("testenv:")]
    if name not in known:
        say(f"{name} is not known: say demo, test, {', '.join(known)}")
        return 2
    python = ensure("test") / "python"
    return subprocess.run(
        [python, "-m", "tox", "run", "-c", ROOT / "tox.ini", "-e", name, "--", *arguments], check=False
    ).returncode


def counts(stage: str) -> dict[str, int]:
    """Add up what pytest wrote of one stage."""
    total = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for path in RESULTS.glob(f"{stage}-*.xml"):
        for suite in ET.parse(path).getroot().iter("testsuite"):  # noqa: S314 - written by our own pytest a moment ago
            for key in total:
                total[key] += int(suite.get(key, 0))
    return total


def test(arguments: list[str]) -> int:
    """Run every stage in order, go on after a failure, and end with a summary."""
    if arguments:
        say("test takes no argument: run one stage by its name, as in ./dev unit -k word")
        return 2
    shutil.rmtree(RESULTS, ignore_errors=True)
    rows, failed_stages, passed, failed, skipped = [], [], 0, 0, 0
    for stage in STAGES:
        begin = time.monotonic()
        code = tox(stage, [])
        total = counts(stage)
        bad = total["failures"] + total["errors"]
        good = total["tests"] - bad - total["skipped"]
        passed, failed, skipped = passed + good, failed + bad, skipped + total["skipped"]
        if code:
            failed_stages.append(stage)
        seconds = time.monotonic() - begin
        outcome = "FAILED" if code else "ok"
        numbers = f"{good:>6} passed {bad:>4} failed {total['skipped']:>4} skipped"
        rows.append(f"{stage:<12} {outcome:<7} {numbers} {seconds:>6.0f} s")
    print("", *rows, "", sep="\n")
    if failed_stages:
        print(f"failed: {', '.join(failed_stages)}")
        failed = max(failed, 1)  # a stage may fail without a failing test: a type error, too little coverage
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if failed_stages else 0


def main() -> int:
    """Return the exit code of what the first argument names."""
    name, arguments = sys.argv[1], sys.argv[2:]
    if arguments[:1] == ["--"]:
        del arguments[0]
    try:
        if name == "demo":
            return demo(arguments)
        return test(arguments) if name == "test" else tox(name, arguments)
    except MakeError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130


if __name__ == "__main__":
    sys.exit(main())
