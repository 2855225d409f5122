"""Install our wheels in an empty environment with plain pip and run the demo: ``./dev wheels``.

What a user does who never clones the repository: nothing is pinned, the newest versions count. It needs the package
index, so it is no part of ``./dev test``.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from layout import packages


def main(arguments: list[str]) -> int:
    """Build, install, check and run the demo; the arguments go to the demo."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        wheels, python = place / "wheels", place / "venv" / "bin" / "python"
        for folder in packages():
            build = ["hatchling", "build", "--target", "wheel", "--directory", str(wheels)]
            subprocess.run([sys.executable, "-m", *build], cwd=folder, check=True)
        subprocess.run([sys.executable, "-m", "venv", place / "venv"], check=True)
        pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "--quiet", *map(str, wheels.glob("*.whl"))], check=True)
        subprocess.run([*pip, "check"], check=True)
        return subprocess.run([place / "venv" / "bin" / "coinswarm", "demo", *arguments], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
