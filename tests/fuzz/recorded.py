"""Visits to the recorded sites, on which this or that goes wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Final

from custom_components.new_api.gateway.usage import LogKind
from tests.recordings import SITES, Exchange, Recording, load

from .mutations import mutated
from .site import NO_ENDPOINT, Reply
from .visit import KEY, TOKEN, Ask, Visit

_ACCOUNT: Final = "/api/user/self"

PATHS: Final[Mapping[str, tuple[str, ...]]] = {
    "site": ("/api/status",),
    "account": ("/api/user/self",),
    "keys": ("/api/token/",),
    "key": (
        "/v1/dashboard/billing/subscription",
        "/v1/dashboard/billing/usage",
        "/api/usage/token/",
    ),
    "key_models": ("/v1/models",),
    "account_models": (
        "/api/user/models",
        "/api/user/available_models",
        "/api/available_model",
    ),
    "spent": ("/api/log/self/stat", _ACCOUNT),
    "usage_by_hour": ("/api/data/self", _ACCOUNT),
    "usage_by_day": ("/api/user/dashboard", _ACCOUNT),
    "usage_by_key": ("/api/data/flow/self", _ACCOUNT),
    "logged": ("/api/log/self", _ACCOUNT),
    "plans": ("/api/subscription/self", "/api/subscription/plans", _ACCOUNT),
    "check_in": ("/api/user/checkin", "/api/user/check_in_status", _ACCOUNT),
    "pending_top_ups": ("/api/user/topup/self", _ACCOUNT),
    "groups": ("/api/user/self/groups", _ACCOUNT),
    "notice": ("/api/notice",),
    "monitors": ("/api/uptime/status",),
}
"""What the client may ask for each question.

A no to many of them makes it ask whether the account is still shown.
"""

_QUESTIONS: Final = tuple(PATHS)
_WEIGHTS: Final = (2, 2, 3, 6, 1, 1, *(1,) * 11)

# These belong to the connection, not to the reply.
_OF_CONNECTION: Final = frozenset({"transfer-encoding", "content-length"})

_MOST_ASKS: Final = 5

# How often nothing goes wrong with a reply.
_WHOLE: Final = 0.35

_BEARER: Final = "Bearer "
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Place:
    """All that one recorded site answered, by path, and by path and credential."""

    recording: Recording
    status: Reply
    by_path: Mapping[str, tuple[Reply, ...]]
    by_caller: Mapping[str, Mapping[str, tuple[Reply, ...]]]
    """With the query, where there is one."""
    callers: tuple[str, ...]
    everything: tuple[Reply, ...]

    def replies(self, rng: Random, path: str, caller: str) -> dict[str, list[Reply]]:
        """Return what is answered to a caller on a path, mostly to the same one."""
        own = {
            asked: list(replies)
            for asked, replies in self.by_caller[caller].items()
            if asked.partition("?")[0] == path
        }
        if own and rng.random() < _SAME_CALLER:
            if path in _OF_ANY_TIME:
                return {path: [rng.choice(rng.choice(list(own.values())))]}
            return {asked: [rng.choice(each)] for asked, each in own.items()}
        known = self.by_path.get(path, (NO_ENDPOINT,))
        return {path: [rng.choice(known) for _ in range(rng.choice((1, 1, 2)))]}

    def knows(self, question: str) -> bool:
        """Tell whether the site was asked anything of the kind."""
        return PATHS[question][0] in self.by_path


_SAME_CALLER: Final = 0.9

# Where the client asks for times that nobody recorded.
_OF_ANY_TIME: Final = frozenset(
    {
        "/api/log/self/stat",
        "/api/data/self",
        "/api/data/flow/self",
        "/api/log/self",
        "/api/user/checkin",
        "/api/user/topup/self",
    }
)


@cache
def places() -> tuple[Place, ...]:
    """Return all recorded sites."""
    return tuple(
        _place(load(server, site)) for server in SITES for site in SITES[server]
    )


def _place(recording: Recording) -> Place:
    by_path: dict[str, list[Reply]] = {}
    by_caller: dict[str, dict[str, list[Reply]]] = {}
    for exchange in recording.exchanges:
        if exchange.method != "GET":
            continue
        caller = _caller(exchange)
        reply = _reply(exchange, caller)
        by_path.setdefault(exchange.path.partition("?")[0], []).append(reply)
        by_caller.setdefault(caller, {}).setdefault(exchange.path, []).append(reply)
    # Where only spending was of interest, nobody asked for the settings.
    usual = load(recording.server, "usd").find("public /api/status")
    known = by_path.setdefault("/api/status", [_reply(usual, "")])
    by_caller.setdefault("", {})
    return Place(
        recording,
        next(each for each in known if each.status == _OK),
        _frozen(by_path),
        {caller: _frozen(asked) for caller, asked in by_caller.items()},
        tuple(by_caller),
        tuple(reply for replies in by_path.values() for reply in replies),
    )


def _frozen(replies: Mapping[str, Sequence[Reply]]) -> dict[str, tuple[Reply, ...]]:
    return {path: tuple(each) for path, each in replies.items()}


def _caller(exchange: Exchange) -> str:
    headers = {name.lower(): said for name, said in exchange.request_headers.items()}
    return headers.get("authorization", "").removeprefix(_BEARER).strip()


def _reply(exchange: Exchange, caller: str) -> Reply:
    """Return a recorded reply, in which the caller has our credentials."""
    body = exchange.body
    if caller:
        bare = caller.removeprefix("sk-")
        ours = KEY.removeprefix("sk-") if caller.startswith("sk-") else TOKEN
        body = body.replace(bare, ours).replace(_masked(bare), _masked(ours))
    headers = tuple(
        (name, said)
        for name, said in exchange.headers
        if name.lower() not in _OF_CONNECTION
    )
    return Reply(exchange.status, headers, body.encode())


def _masked(bare: str) -> str:
    return f"{bare[:4]}{'*' * 10}{bare[-4:]}"


def visit(rng: Random) -> Visit:
    """Return a visit to one of the recorded sites."""
    place = rng.choice(places())
    # A key and an account, of the same person or not.
    callers = rng.choices(place.callers, k=2)
    asks = tuple(_ask(rng, place, callers) for _ in range(rng.randint(1, _MOST_ASKS)))
    return Visit(
        place.status,
        asks,
        place.recording.recorded_at + rng.choice((0, 0, 60, 10**6, -(10**6))),
        user_id=rng.choice((None, None, "2", "3", "1")),
        account_id=rng.choice((None, None, None, 2)),
    )


def _ask(rng: Random, place: Place, callers: Sequence[str]) -> Ask:
    question = rng.choices(_QUESTIONS, _WEIGHTS)[0]
    while not place.knows(question) and rng.random() > _UNKNOWN:
        question = rng.choices(_QUESTIONS, _WEIGHTS)[0]
    replies: dict[str, tuple[Reply, ...]] = {}
    for path in PATHS[question]:
        for asked, each in place.replies(rng, path, rng.choice(callers)).items():
            replies[asked] = tuple(
                _perhaps_mutated(rng, reply, place) for reply in each
            )
    return Ask(
        question,
        replies,
        wait=rng.choice((0.0, 1.0, 300.0, 1300.0, 4000.0, 90_000.0)),
        cancelled_after=rng.choice((0.0, 0.5, 20.0))
        if rng.random() < _CANCELLED
        else None,
        listed=rng.random() < _LISTED,
        kind=rng.choice(list(LogKind)),
        span=_span(rng, round(place.recording.recorded_at)),
    )


def _span(rng: Random, recorded_at: int) -> tuple[int, int]:
    """Return a range that has all that was recorded in it, or a part."""
    end = recorded_at + rng.choice((0, 3600, -3600, -86_400))
    return end - rng.choice((29 * 86_400, 29 * 86_400, 7 * 86_400, 100)), end


# How often somebody asks what was not recorded.
_UNKNOWN: Final = 0.1

_CANCELLED: Final = 0.01
_LISTED: Final = 0.2


def _perhaps_mutated(rng: Random, reply: Reply, place: Place) -> Reply:
    if rng.random() < _WHOLE:
        return reply
    return mutated(rng, reply, place.everything)
