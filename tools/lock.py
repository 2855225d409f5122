"""Write ``constraints/*.txt``: ``./dev lock``, or ``./dev lock --upgrade`` for the newest versions.

uv resolves for every platform and every Python from 3.11 on, with a hash for each file. Nothing of this machine
enters the files: no index, no path.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

from layout import ROOT, packages

FILES = {
    "run.txt": ("build.in",),
    "dev.txt": ("build.in", "dev.in"),
    "bench.txt": ("build.in", "bench.in"),
}
"""Constraints file -> the hand-written files that join what our packages ask for."""

HEADER = """\
# Written by ./dev lock: do not edit. constraints/README.md says what from.
"""


def requirements(file: str) -> list[str]:
    """What our packages ask for, less one another; for the checks every optional part too."""
    found: list[str] = []
    names: set[str] = set()
    for folder in packages():
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        names.add(project["name"])
        found += project["dependencies"]
        if file == "dev.txt":
            found += [line for lines in project.get("optional-dependencies", {}).values() for line in lines]
    return sorted({line for line in found if re.split(r"[^\w.-]", line)[0] not in names})


def main(options: list[str]) -> int:
    """Resolve each file; versions already in it are kept unless an option says otherwise."""
    for name, inputs in FILES.items():
        target = ROOT / "constraints" / name
        lines = requirements(name)
        lines += [(ROOT / "constraints" / file).read_text(encoding="utf-8") for file in inputs]
        command = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"]
        command += ["--no-header", "--no-annotate", "--output-file", str(target), *options, "-"]
        done = subprocess.run(command, input="\n".join(lines), text=True, stdout=subprocess.DEVNULL, check=False)
        if done.returncode:
            return done.returncode
        text = target.read_text(encoding="utf-8").removeprefix(HEADER)
        target.write_text(HEADER + text, encoding="utf-8")
        print(f"{target.relative_to(ROOT)}: {text.count('==')} pins")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
