"""Many visits, one after the other, and the smallest one that fails."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from hypothesis import HealthCheck, Phase, given, seed as seeded, settings

from .grammar import visits
from .recorded import visit as recorded_visit
from .site import Delivery, Reply
from .visit import FailureError, Visit, Visitor

# Of the visits. Hypothesis takes its time over each, and keeps all of a batch in mind.
_MADE_UP: Final = 0.1
_BATCH: Final = 500

# How many smaller visits are tried at most before a failure is told.
_MOST_TRIES: Final = 300


@dataclass(frozen=True, slots=True)
class Campaign:
    """So many questions; the same seed asks the same."""

    questions: int
    seed: int = 0
    on_progress: Callable[[Visitor], None] | None = None
    """Called now and then."""

    def run(self, visitor: Visitor) -> None:
        """Ask. Raises FailureError at the first answer that is wrong."""
        rng = Random(self.seed)
        while visitor.figures.all < self.questions:
            self._batch(visitor, rng)
            if self.on_progress is not None:
                self.on_progress(visitor)

    def _batch(self, visitor: Visitor, rng: Random) -> None:
        """Pay visits to recorded sites, and then to made-up ones."""
        for _ in range(_BATCH):
            if visitor.figures.all >= self.questions:
                return
            visitor.pay(recorded_visit(Random(rng.getrandbits(64))))
        made_up = min(round(_BATCH * _MADE_UP), self.questions - visitor.figures.all)
        if made_up > 0:
            _pay_made_up(visitor, made_up, rng.getrandbits(64))


def _pay_made_up(visitor: Visitor, count: int, seed: int) -> None:
    @seeded(seed)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(visits())
    def pay(visit: Visit) -> None:
        visitor.pay(visit)

    pay()


def smallest(failure: FailureError) -> FailureError:
    """Return the failure of the smallest visit that fails in the same way."""
    if failure.ask.sound:
        # Any smaller one might rightly have no answer.
        return failure
    kind = _kind(failure)
    tries = _MOST_TRIES
    shrinks = True
    while shrinks:
        shrinks = False
        for smaller in _smaller(failure.visit):
            tries -= 1
            if tries < 0:
                return failure
            again = failure_of(smaller)
            if again is not None and _kind(again) == kind:
                failure, shrinks = again, True
                break
    return failure


def failure_of(visit: Visit) -> FailureError | None:
    """Pay one visit, and return how it failed."""
    with Visitor() as visitor:
        try:
            visitor.pay(visit)
        except FailureError as failure:
            return failure
    return None


def _kind(failure: FailureError) -> tuple[str, ...]:
    """Return what makes two failures the same: the words, not the figures."""
    words = failure.why.split()
    return (failure.ask.question, *words[:3])


def _smaller(visit: Visit) -> Iterator[Visit]:
    """Leave out a question, a reply, or what is special about one."""
    for at in range(len(visit.asks)):
        yield replace(visit, asks=visit.asks[:at] + visit.asks[at + 1 :])
    for at, ask in enumerate(visit.asks):
        before, after = visit.asks[:at], visit.asks[at + 1 :]
        for path, replies in ask.replies.items():
            others = {each: ask.replies[each] for each in ask.replies if each != path}
            choices = [others] if len(ask.replies) > 1 else []
            if len(replies) > 1:
                choices += [{**others, path: (each,)} for each in replies]
            else:
                choices += [{**others, path: (each,)} for each in _plainer(replies[0])]
            for choice in choices:
                yield replace(
                    visit, asks=(*before, replace(ask, replies=choice), *after)
                )


def _plainer(reply: Reply) -> Iterator[Reply]:
    if reply.delivery != Delivery():
        yield replace(reply, delivery=Delivery())
    for at in range(len(reply.headers)):
        yield replace(reply, headers=reply.headers[:at] + reply.headers[at + 1 :])
    size = len(reply.body) // 2
    while size:
        for at in range(0, len(reply.body), size):
            yield replace(reply, body=reply.body[:at] + reply.body[at + size :])
        size //= 2
