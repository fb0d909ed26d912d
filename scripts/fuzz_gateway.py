"""Ask the gateway client with replies that no server should give.

What `scripts/fuzz` runs.
"""

import argparse
from collections.abc import Iterator
import sys
import time
import traceback
from typing import Final

from tests.fuzz.campaign import Campaign, smallest
from tests.fuzz.visit import FailureError, Figures, Visitor

_QUESTIONS: Final = 100_000

# How often it says how far it is, in seconds.
_SAYS: Final = 10.0


def main() -> int:
    """Return 0 where nothing failed, and 1 otherwise."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("questions", nargs="?", type=int, default=_QUESTIONS)
    parser.add_argument("seed", nargs="?", type=int, default=0)
    asked = parser.parse_args()
    begun = said = time.monotonic()

    def progress(visitor: Visitor) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said >= _SAYS:
            said = now
            done = visitor.figures.all
            print(f"{done} questions, {done / (now - begun):.0f} a second", flush=True)

    print(f"seed {asked.seed}")
    with Visitor() as visitor:
        try:
            Campaign(asked.questions, asked.seed, progress).run(visitor)
        except FailureError as failure:
            # Also where it holds halves of characters, or the terminal knows few.
            told = "\n".join(_told(smallest(failure)))
            print(told.encode("ascii", "backslashreplace").decode())
            return 1
        finally:
            print("\n".join(_shown(visitor.figures, time.monotonic() - begun)))
    print("nothing failed")
    return 0


def _shown(figures: Figures, seconds: float) -> Iterator[str]:
    """Describe what became of the questions."""
    yield f"questions {figures.all}"
    for question, count in sorted(figures.questions.items()):
        yield f"  {question} {count}, answered {figures.answered[question]}"
    yield f"replies {figures.replies}"
    yield f"answered {figures.answered.total()}"
    yield f"refused {figures.refused.total()}"
    for error, count in figures.refused.most_common():
        yield f"  {error} {count}"
    yield f"took {seconds:.0f} s, {figures.all / seconds:.0f} a second"
    yield f"longest question {figures.longest_work * 1000:.0f} ms of work"
    yield f"longest wait {figures.longest_wait:.1f} s of the site's time"


def _told(failure: FailureError) -> Iterator[str]:
    """Describe a failure with all that it takes to see it again."""
    visit = failure.visit
    yield f"FAILED: {failure.ask.question}: {failure.why}"
    yield (
        f"at {visit.clock}, user ID {visit.user_id}, account {visit.account_id}, "
        f"on a site that says\n{visit.status.as_text()}"
    )
    for ask in visit.asks:
        yield (
            f"--- {ask.question}, {ask.wait} s later, "
            f"cancelled after {ask.cancelled_after}, listed {ask.listed}"
        )
        for path, replies in ask.replies.items():
            for reply in replies:
                yield f"GET {path}\n{reply.as_text()}"
    if failure.__cause__ is not None:
        yield "".join(traceback.format_exception(failure.__cause__))


if __name__ == "__main__":
    sys.exit(main())
