"""The peers' virtual environments: each its own, all with the same torch and NumPy.

torch is large, so one environment holds it and the others see that one's packages behind their
own. What is imported is then the same file for every peer.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

SHARED = "torch"
_VERSIONS = """
import json, sys
from importlib.metadata import version
print(json.dumps({name: version(name) for name in sys.argv[1:]}))
"""


@dataclass(frozen=True)
class Venvs:
    """Environments below one folder, made when they are first asked for."""

    root: Path

    def python(self, name: str) -> Path:
        """Return an environment's interpreter."""
        return self.root / name / "bin" / "python"

    def program(self, name: str, program: str) -> Path:
        """Return a console script of an environment."""
        return self.root / name / "bin" / program

    def make(self, name: str, *packages: str) -> None:
        """Make an environment with packages, torch and NumPy unless it is there already."""
        if name != SHARED:
            self.make(SHARED, "numpy", "torch")
        done = self.root / name / "packages.json"
        wanted = [*packages, *self._constraints()]
        if done.exists() and json.loads(done.read_text()) == wanted:
            return
        _run(sys.executable, "-m", "venv", "--clear", str(self.root / name))
        _run(str(self.python(name)), "-m", "pip", "install", "-q", *self._options(), *packages)
        if name != SHARED:
            (self._packages(name) / "shared-torch.pth").write_text(f"{self._packages(SHARED)}\n")
        done.write_text(json.dumps(wanted))

    def versions(self, name: str, *packages: str) -> dict[str, str]:
        """Return the versions of packages in an environment; none before it is made."""
        if not self.python(name).exists():
            return {}
        command = [str(self.python(name)), "-c", _VERSIONS, *packages]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
        return dict(json.loads(answer.stdout))

    def _options(self) -> list[str]:
        file = self.root / "constraints.txt"
        file.write_text("".join(f"{line}\n" for line in self._constraints()))
        return ["-c", str(file)]

    def _constraints(self) -> list[str]:
        """Pin what every system must import alike to what this interpreter has."""
        plain = version("torch").partition("+")[0]
        return [f"numpy=={version('numpy')}", f"torch=={plain}", f"pytest=={version('pytest')}"]

    def _packages(self, name: str) -> Path:
        base = str(self.root / name)
        return Path(sysconfig.get_path("purelib", vars={"base": base, "platbase": base}))


def _run(*command: str) -> None:
    print("   ", " ".join(command[1:6]), "...", flush=True)
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL if "-q" in command else None)
