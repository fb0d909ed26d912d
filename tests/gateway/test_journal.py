"""What a journal tells of questions to a site, and what it does not."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

from aiohttp import ClientSession
import pytest

from custom_components.new_api.gateway.budget import Bucket, Budget
from custom_components.new_api.gateway.client import Client
from custom_components.new_api.gateway.credentials import Credentials
from custom_components.new_api.gateway.errors import GatewayError
from custom_components.new_api.gateway.journal import Journal
from custom_components.new_api.gateway.models import Family, Site
from tests.gateway.scripted import Handler, Reply, scripted
from tests.gateway.secrecy import KEY, SAID, TOKEN
from tests.gateway.test_client import (
    ACCOUNT,
    BILLED,
    LIST,
    MODELS,
    NOW,
    SELF,
    SITES,
    STATUS,
    SUBSCRIPTION,
    USAGE,
    USER_MODELS,
    billing,
    listed,
    no,
    usage,
    yes,
)

NAME: Final = "Name-that-nobody-may-see"

type Question = Callable[[Client, Site], Any]


async def noted(
    session: ClientSession,
    replies: Mapping[str, Handler | list[Handler]],
    *questions: Question,
    budget: Budget | None = None,
) -> Journal:
    """Return what was noted of questions to a New API; some of them may fail."""
    async with scripted({STATUS: SITES[Family.NEW_API], **replies}, now=NOW) as gateway:
        client = Client(
            session,
            gateway.url,
            Credentials.from_text(key=KEY, access_token=TOKEN, user_id="2"),
            clock=lambda: NOW,
            budget=budget,
        )
        site = await client.site()
        for question in questions:
            try:
                await question(client, site)
            except GatewayError:
                continue
        return client.journal


async def test_what_went_well(session: ClientSession) -> None:
    """Each question and each path says when it was answered."""
    journal = await noted(
        session,
        {SELF: yes(ACCOUNT), MODELS: Reply.json({"data": []})},
        lambda client, _: client.account(),
        lambda client, _: client.account(),
        lambda client, _: client.key_models(),
    )
    assert journal.questions.keys() == {"site", "account", "key_models"}
    assert journal.endpoints.keys() == {STATUS, SELF, MODELS}
    for outcome in journal.questions.values():
        assert (outcome.at, outcome.error) == (NOW, None)
        assert 0 <= outcome.milliseconds < 60_000
    for endpoint in journal.endpoints.values():
        assert endpoint.last is not None
        assert (endpoint.last.error, endpoint.received.status) == (None, 200)
        assert endpoint.unexpected is None
    account = journal.endpoints[SELF]
    assert (account.asked, account.failed, account.is_there) == (2, 0, True)


async def test_refusal(session: ClientSession) -> None:
    """A refusal says why, as far as the client can tell."""
    refusal = no("无权进行此操作，access token 无效", 401)
    journal = await noted(session, {SELF: refusal}, lambda client, _: client.account())
    outcome = journal.questions["account"]
    assert (outcome.error, outcome.reason) == ("RefusedError", "invalid")
    endpoint = journal.endpoints[SELF]
    assert endpoint.last is not None
    assert (endpoint.last.error, endpoint.received.status) == ("RefusedError", 401)
    assert (endpoint.asked, endpoint.failed) == (1, 1)


async def test_what_the_site_does_not_have(session: ClientSession) -> None:
    """What is missing is known, until the site has it."""
    replies: dict[str, Handler | list[Handler]] = {**billing(1, 0)}
    journal = await noted(
        session,
        replies,
        lambda client, site: client.key(site),
        lambda client, _: client.account(),
    )
    there = {path: each.is_there for path, each in journal.endpoints.items()}
    assert there == {
        STATUS: True,
        SUBSCRIPTION: True,
        BILLED: True,
        USAGE: False,
        SELF: False,
    }
    missing = Reply.json({"error": {"message": "Invalid URL"}}, 404)
    journal = await noted(
        session,
        {SELF: [missing, yes(ACCOUNT)]},
        lambda client, _: client.account(),
        lambda client, _: client.account(),
    )
    assert journal.endpoints[SELF].is_there is True


async def test_own_budget(session: ClientSession) -> None:
    """A request that the budget does not let go has no status."""
    budget = Budget()
    budget.close(Bucket.MODELS, 60)
    journal = await noted(
        session, {}, lambda client, _: client.key_models(), budget=budget
    )
    endpoint = journal.endpoints[MODELS]
    assert endpoint.last is not None
    assert endpoint.last.error == "RateLimitedError"
    assert endpoint.received.status is None
    assert journal.questions["key_models"].error == "RateLimitedError"


async def test_trouble_is_not_unexpected(session: ClientSession) -> None:
    """A site that is down sends nothing worth looking at."""
    journal = await noted(
        session, {SELF: Reply.html(502)}, lambda client, _: client.account()
    )
    endpoint = journal.endpoints[SELF]
    assert endpoint.last is not None
    assert (endpoint.last.error, endpoint.received.status) == (
        "ServerTroubleError",
        502,
    )
    assert endpoint.unexpected is None


@pytest.mark.parametrize(
    ("reply", "error", "content_type", "length", "shape"),
    [
        (Reply.html(), "NotAGatewayError", "text/html", 34, None),
        (Reply(200, b""), "EmptyReplyError", "application/json", 0, None),
        (Reply(200, b"{"), "UnexpectedReplyError", "application/json", 1, None),
        (
            Reply(200, b"[]"),
            "UnexpectedReplyError",
            "application/json",
            2,
            "list(0)",
        ),
        (
            Reply(200, b"\0" * 9, "image/x-of-nobody"),
            "NotAGatewayError",
            "other",
            9,
            None,
        ),
        (
            Reply(418, b'{"message": "I am a teapot"}'),
            "UnexpectedReplyError",
            "application/json",
            28,
            {"object": 1, "fields": {"message": "text(13)"}},
        ),
    ],
)
async def test_what_is_no_answer(
    session: ClientSession,
    reply: Reply,
    error: str,
    content_type: str,
    length: int,
    shape: Any,
) -> None:
    """Of what no gateway says, the shape is kept."""
    journal = await noted(session, {SELF: reply}, lambda client, _: client.account())
    unexpected = journal.endpoints[SELF].unexpected
    assert unexpected is not None
    assert (unexpected.at, unexpected.error) == (NOW, error)
    received = unexpected.received
    assert received.status == reply.status
    assert (received.content_type, received.length) == (content_type, length)
    assert received.shape == shape


@pytest.mark.parametrize(
    ("path", "reply", "question", "odd"),
    [
        (
            SELF,
            yes(ACCOUNT | {"quota": "45005000"}),
            lambda client, _: client.account(),
            ("data", "quota", "text(8)"),
        ),
        (
            MODELS,
            Reply.json({"data": [{"id": "gpt-5"}, {"id": 5}]}),
            lambda client, _: client.key_models(),
            ("data", "id", "integer(1)"),
        ),
        (
            USER_MODELS,
            yes({"id": "gpt-5"}),
            lambda client, site: client.account_models(site),
            ("data", "id", "text(5)"),
        ),
        (
            LIST,
            yes({"items": [listed(), listed(2, used_quota=None)], "total": 2}),
            lambda client, site: client.keys(site),
            ("data", "items", "used_quota", "null"),
        ),
        (
            LIST,
            yes({"items": "none", "total": 2}),
            lambda client, site: client.keys(site),
            ("data", "items", "text(4)"),
        ),
    ],
    ids=["account", "key's models", "account's models", "key", "list of keys"],
)
async def test_what_cannot_be_read(
    session: ClientSession,
    path: str,
    reply: Reply,
    question: Question,
    odd: tuple[str, ...],
) -> None:
    """Of good JSON that is no known answer, the shape is kept as well."""
    journal = await noted(session, {path: reply}, question)
    endpoint = journal.endpoints[path]
    assert endpoint.last is not None
    assert (endpoint.last.error, endpoint.received.status) == (
        "UnexpectedReplyError",
        200,
    )
    assert (endpoint.asked, endpoint.failed) == (1, 1)
    assert endpoint.unexpected is not None
    assert odd in set(_branches(endpoint.unexpected.received.shape))
    assert "UnexpectedReplyError" in {each.error for each in journal.questions.values()}


async def test_site_that_cannot_be_read(session: ClientSession) -> None:
    """So it is where something else answers in JSON."""
    async with scripted({STATUS: yes({"version": "1"})}) as gateway:
        client = Client(session, gateway.url, Credentials(), clock=lambda: NOW)
        with pytest.raises(GatewayError):
            await client.site()
    assert client.journal.questions["site"].error == "NotAGatewayError"
    unexpected = client.journal.endpoints[STATUS].unexpected
    assert unexpected is not None
    assert ("data", "version", "text(1)") in set(_branches(unexpected.received.shape))


async def test_what_is_made_up_for(session: ClientSession) -> None:
    """A reply is unexpected also where the question found another answer."""
    journal = await noted(
        session,
        {**billing(10, 100), USAGE: usage(total_used=None)},
        lambda client, site: client.key(site),
    )
    assert journal.questions["key"].error is None
    unexpected = journal.endpoints[USAGE].unexpected
    assert unexpected is not None
    assert unexpected.problem == "'total_used' is not a whole number"
    assert ("data", "total_used", "null") in set(_branches(unexpected.received.shape))


async def test_billing_that_cannot_be_read(session: ClientSession) -> None:
    """Two replies are one answer, so both are shown."""
    replies = billing(10, 100) | {SUBSCRIPTION: Reply.json({"hard_limit_usd": "10"})}
    journal = await noted(session, replies, lambda client, site: client.key(site))
    limit, used = journal.endpoints[SUBSCRIPTION], journal.endpoints[BILLED]
    assert limit.unexpected is not None
    assert used.unexpected is not None
    assert ("hard_limit_usd", "text(2)") in set(
        _branches(limit.unexpected.received.shape)
    )


async def test_what_was_unexpected_is_remembered(session: ClientSession) -> None:
    """A maintainer looks long after the site has recovered."""
    journal = await noted(
        session,
        {SELF: [Reply.html(), yes(ACCOUNT)]},
        lambda client, _: client.account(),
        lambda client, _: client.account(),
    )
    endpoint = journal.endpoints[SELF]
    assert endpoint.last is not None
    assert endpoint.last.error is None
    assert endpoint.unexpected is not None
    assert (endpoint.asked, endpoint.failed) == (2, 1)


async def test_no_secret_is_reachable(session: ClientSession) -> None:
    """Whatever a site says, nothing of it can be reached from a journal."""
    talk: dict[str, Any] = {
        "quota": SAID,
        "key": KEY,
        "access_token": TOKEN,
        NAME: {NAME: NAME},
    }
    journal = await noted(
        session,
        {
            SELF: yes(ACCOUNT | talk),
            LIST: yes({"items": [listed(name=NAME) | talk | {"id": NAME}], "total": 1}),
            MODELS: Reply.json({"data": {NAME: SAID}, "message": SAID}, 418),
            USAGE: no(SAID, 401, code=KEY),
            SUBSCRIPTION: Reply(200, KEY.encode(), f"text/{NAME}"),
            BILLED: Reply.redirect(f"https://{NAME}.example/"),
        },
        lambda client, _: client.account(),
        lambda client, site: client.keys(site),
        lambda client, _: client.key_models(),
        lambda client, site: client.key(site),
    )
    assert len(journal.endpoints) >= 5
    texts = [*_texts(journal)]
    assert "UnexpectedReplyError" in texts
    for secret in (KEY, KEY.removeprefix("sk-"), TOKEN, SAID, NAME):
        assert not [text for text in texts if secret.lower() in text.lower()]
    assert not [each for each in _reachable(journal) if isinstance(each, BaseException)]


def _branches(shape: Any, *path: str) -> Iterator[tuple[str, ...]]:
    """Go through the leaves of a shape, with the names that lead to them."""
    if isinstance(shape, str):
        yield *path, shape
        return
    for name, inner in shape.get("fields", {}).items():
        yield from _branches(inner, *path, name)
    for inner in shape.get("items", []):
        yield from _branches(inner, *path)


def _texts(journal: Journal) -> Iterator[str]:
    return (each for each in _reachable(journal) if isinstance(each, str))


def _reachable(value: Any) -> Iterator[Any]:
    """Go through all that an object holds, its private parts included."""
    yield value
    if is_dataclass(value):
        inner = [getattr(value, field.name) for field in fields(value)]
    elif isinstance(value, Mapping):
        inner = [*value, *value.values()]
    elif isinstance(value, list | tuple | set | frozenset):
        inner = [*value]
    elif isinstance(value, str) or not hasattr(value, "__dict__") or callable(value):
        inner = []
    else:
        inner = [*vars(value).values()]
    for each in inner:
        yield from _reachable(each)
