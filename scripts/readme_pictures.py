"""Draws the READMEs' pictures, docs/pictures/*.svg, from the recorded smoke run: in English and,
with -zh, in Chinese.

usage: python scripts/readme_pictures.py Run it after results/recorded/smoke was recorded anew.
Needs a font with Chinese characters (Debian: fonts-noto-cjk): texts are measured.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from harness.reporting.plots.draw import draw  # noqa: E402

RUN, OUT = ROOT / "results/recorded/smoke", ROOT / "docs/pictures"
WANTED = ("chinese-english", "speed-chinese-average")
SUFFIX = {"en": "", "zh": "-zh"}


def main() -> None:
    """Draws all figures and keeps those that the READMEs show."""
    OUT.mkdir(exist_ok=True)
    for language, suffix in SUFFIX.items():
        with tempfile.TemporaryDirectory() as scratch:
            _, problems = draw([RUN], Path(scratch), ["svg"], language)
            if problems:
                sys.exit(problems[0])
            for name in WANTED:
                (OUT / f"{name}{suffix}.svg").write_bytes((Path(scratch) / f"{name}.svg").read_bytes())
                print(OUT / f"{name}{suffix}.svg")


if __name__ == "__main__":
    main()
