"""Forecast made-up lives, and print how far off that is: backtest.py [LIVES [SEED]].

So many lives of each pattern (400 where it is not said), from this seed on, next to the
usual rule of thumb: balance / mean of the last 7 days.
"""

import argparse
from pathlib import Path
import sys
import time
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.forecast.backtest import compare_all, table

_LIVES: Final = 400


def main() -> None:
    """Print the table, and how long a forecast takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lives", nargs="?", type=int, default=_LIVES)
    parser.add_argument("seed", nargs="?", type=int, default=0)
    asked = parser.parse_args()
    begun = time.monotonic()
    for line in table(compare_all(range(asked.seed, asked.seed + asked.lives))):
        print(line)
    print(f"{time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
