"""The energy of CPUs, from the counters that Linux shows under /sys/class/powercap (Intel and AMD:
RAPL).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from harness.meter.checks import EnergyError

POWERCAP = Path("/sys/class/powercap")


@dataclass
class _Domain:
    """One counter in microjoules; ``range`` is where it begins again, ``turns`` how much that has
    added so far.
    """

    path: Path
    range: int
    last: int = 0
    turns: int = 0

    def read(self) -> int:
        now = int((self.path / "energy_uj").read_text())
        if now < self.last:
            self.turns += self.range
        self.last = now
        return self.turns + now


@dataclass
class RaplDomains:
    """All packages of the machine, and their memory where it is counted apart. Read every
    ``period`` it sees every wrap-around: at 300 W a counter of 262 kJ takes 15 minutes.
    """

    period: ClassVar[float] = 5.0
    domains: list[_Domain] = field(default_factory=list)

    @classmethod
    def find(cls, root: Path = POWERCAP) -> RaplDomains:
        """The machine's counters.

        Raises EnergyError with the reason where there are none or they may not be read.
        """
        paths = [
            path for path in sorted(root.glob("intel-rapl:*")) if _name(path).startswith(("package", "dram"))
        ]

        if not paths:
            raise EnergyError(f"this machine shows no RAPL energy counters under {root}")

        # The first reading also shows whether the counters may be read: many systems keep them for
        # root, since they betray what other processes compute (CVE-2020-8694).
        domains = []
        try:
            for path in paths:
                domain = _Domain(path, int((path / "max_energy_range_uj").read_text()))
                domain.read()
                domains.append(domain)
        except PermissionError:
            raise EnergyError(
                "the RAPL counters may be read by root only; allow it with: chmod a+r on their energy_uj"
            ) from None
        except (OSError, ValueError) as error:
            raise EnergyError(f"the RAPL counters cannot be read: {error}") from None
        return cls(domains)

    def counter(self) -> float | None:
        """Joules since some moment; None where a counter could not be read this time."""
        try:
            return sum(domain.read() for domain in self.domains) / 1e6
        except (OSError, ValueError):
            return None

    def power(self) -> float | None:
        """RAPL counts energy only."""
        return None

    def close(self) -> None:
        """Nothing is held open."""


def _name(path: Path) -> str:
    try:
        return (path / "name").read_text().strip()
    except OSError:
        return ""
