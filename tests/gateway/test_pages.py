"""All keys of an account, in every dialect of paging, and however many there are."""

from collections.abc import Callable, Mapping
from math import ceil
from typing import Any

import pytest

from custom_components.new_api.gateway.errors import UnexpectedReplyError
from custom_components.new_api.gateway.families import dialect_of
from custom_components.new_api.gateway.models import Family
from custom_components.new_api.gateway.pages import PAGE_SIZE, all_items

type Page = Callable[[int, int], Any]
"""Returns the `data` of a reply to a page number and size."""


class Server:
    """A server with some keys, and with a way of its own to give pages of them."""

    def __init__(
        self, count: int, page: Callable[[Server, Mapping[str, int]], Any]
    ) -> None:
        """Take how many keys there are, and what answers to the parameters."""
        self.keys = [{"id": number} for number in range(count, 0, -1)]
        self.page = page
        self.asked: list[Mapping[str, int]] = []

    async def ask(self, parameter: str, number: int) -> Mapping[str, Any]:
        """Answer as the client asks it."""
        parameters = {parameter: number, "size": PAGE_SIZE}
        self.asked.append(parameters)
        return {"success": True, "data": self.page(self, parameters)}

    def items(self, number: int, size: int) -> list[dict[str, int]]:
        """Return the keys of a 0-based page."""
        return self.keys[number * size : (number + 1) * size]


def one_api(server: Server, asked: Mapping[str, int]) -> Any:
    """Give 10 from page 0, whatever size is asked for."""
    return server.items(asked["p"], 10)


def bare(server: Server, asked: Mapping[str, int]) -> Any:
    """Give what is asked for from page 0: New API up to v0.8.3, Veloera."""
    return server.items(asked["p"], min(asked["size"], 100))


def numbered(server: Server, asked: Mapping[str, int]) -> Any:
    """Give what is asked for from page 1, and take 0 for 1: New API since v0.8.4."""
    page, size = max(asked["p"], 1), min(asked["size"], 100)
    items = server.items(page - 1, size)
    return {"items": items, "total": len(server.keys), "page": page, "page_size": size}


def numbered_by_ten(server: Server, asked: Mapping[str, int]) -> Any:
    """Give 10 from page 1, as a server does that knows another name for the size."""
    return numbered(server, {**asked, "size": 10})


def one_hub(server: Server, asked: Mapping[str, int]) -> Any:
    """Give what is asked for from page 1, by the name `page`."""
    page, size = asked.get("page", 1), asked["size"]
    assert size <= 100
    return {
        "data": server.items(page - 1, size),
        "page": page,
        "size": size,
        "total_count": len(server.keys),
    }


# The families that a server may be taken for; a fork is asked as an unknown one.
SERVERS = [
    (one_api, Family.ONE_API),
    (one_api, Family.UNKNOWN),
    (bare, Family.NEW_API),
    (bare, Family.VELOERA),
    (bare, Family.UNKNOWN),
    (numbered, Family.NEW_API),
    (numbered, Family.UNKNOWN),
    (numbered_by_ten, Family.NEW_API),
    (one_hub, Family.ONE_HUB),
    (one_hub, Family.UNKNOWN),
]


@pytest.mark.parametrize(
    "count", [0, 1, 9, 10, 11, 20, 99, 100, 101, 105, 199, 200, 201, 1000]
)
@pytest.mark.parametrize(
    ("page", "family"),
    SERVERS,
    ids=[f"{page.__name__}-{family}" for page, family in SERVERS],
)
async def test_all_keys(
    page: Callable[[Server, Mapping[str, int]], Any], family: Family, count: int
) -> None:
    """Every key comes once, newest first, and no page is asked for twice."""
    server = Server(count, page)
    assert await all_items(server.ask, dialect_of(family)) == server.keys
    assert len({frozenset(asked.items()) for asked in server.asked}) == len(
        server.asked
    )
    size = 10 if page in (one_api, numbered_by_ten) else 100
    # Where the server does not tell how many there are, some are asked for in vain.
    in_vain = 3 if page in (one_api, bare) else 0
    assert len(server.asked) <= max(1, ceil(count / size)) + in_vain


@pytest.mark.parametrize(
    "data",
    [
        [],
        {"items": None, "total": 0, "page": 1, "page_size": 100},
        {"items": [], "total": 0, "page": 1, "page_size": 0},
        {"data": None, "total_count": 0, "page": 1, "size": 100},
    ],
)
@pytest.mark.parametrize("family", list(Family))
async def test_no_keys(family: Family, data: Any) -> None:
    """An account without keys has an empty list, which says that it is empty."""
    server = Server(0, lambda _server, _asked: data)
    assert await all_items(server.ask, dialect_of(family)) == []
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "data",
    [
        None,
        {"items": None, "total": 3, "page": 1, "page_size": 100},
        {"data": None, "total_count": 3, "page": 1, "size": 100},
    ],
)
async def test_nothing_is_no_list(data: Any) -> None:
    """Nothing is no empty list: the devices of all keys would be gone."""
    server = Server(0, lambda _server, _asked: data)
    with pytest.raises(UnexpectedReplyError):
        await all_items(server.ask, dialect_of(Family.NEW_API))


@pytest.mark.parametrize(
    "data",
    [
        "text",
        17,
        True,
        {},
        {"items": {}},
        {"items": [], "page_size": 100},
        {"items": [], "total": None, "page_size": 100},
        {"items": [], "total": "3"},
        {"items": [], "total": True},
        {"items": [], "total": -1},
        {"items": "text", "total": 1},
        {"data": [], "total_count": None},
        {"data": {}, "total_count": 0},
    ],
)
async def test_no_list(data: Any) -> None:
    """What is no list of keys is refused."""
    server = Server(0, lambda _server, _asked: data)
    with pytest.raises(UnexpectedReplyError):
        await all_items(server.ask, dialect_of(Family.NEW_API))


@pytest.mark.parametrize("size", [None, "100", [], -10, 0, 10])
async def test_size_that_lies(size: Any) -> None:
    """Where the server does not say how large its pages are, they are as they come."""
    server = Server(
        205, lambda server, asked: {**numbered(server, asked), "page_size": size}
    )
    assert await all_items(server.ask, dialect_of(Family.NEW_API)) == server.keys
    assert len(server.asked) == 3


async def test_list_that_shrinks() -> None:
    """A key that is deleted while the pages are read may hide another: no list then."""
    server = Server(201, numbered)

    def deleting(server: Server, asked: Mapping[str, int]) -> Any:
        page = numbered(server, asked)
        if len(server.asked) == 1:
            del server.keys[0]
        return page

    server.page = deleting
    with pytest.raises(UnexpectedReplyError):
        await all_items(server.ask, dialect_of(Family.NEW_API))


async def test_list_that_grows() -> None:
    """A key that is made while the pages are read moves the others, and loses none."""

    def growing(server: Server, asked: Mapping[str, int]) -> Any:
        page = numbered(server, asked)
        if len(server.asked) == 1:
            server.keys.insert(0, {"id": 1000})
        return page

    server = Server(205, growing)
    items = await all_items(server.ask, dialect_of(Family.NEW_API))
    assert {item["id"] for item in items} >= set(range(1, 206))


async def test_total_without_end() -> None:
    """A total beyond all reason is not even begun with."""
    server = Server(
        100, lambda server, asked: {**numbered(server, asked), "total": 10**9}
    )
    with pytest.raises(UnexpectedReplyError):
        await all_items(server.ask, dialect_of(Family.NEW_API))
    assert len(server.asked) == 1


async def test_total_that_lies() -> None:
    """Fewer keys than there should be are not all keys."""
    server = Server(3, lambda server, asked: {**numbered(server, asked), "total": 4})
    with pytest.raises(UnexpectedReplyError):
        await all_items(server.ask, dialect_of(Family.NEW_API))


async def test_pages_without_end() -> None:
    """A server that never runs out of keys is given up."""

    def endless(server: Server, asked: Mapping[str, int]) -> Any:
        return [{"id": asked["p"] * 10 + number} for number in range(10)]

    server = Server(0, endless)
    with pytest.raises(UnexpectedReplyError):
        await all_items(server.ask, dialect_of(Family.ONE_API))
    assert len(server.asked) < 1000


async def test_same_page_again_and_again() -> None:
    """A server that does not mind the page is found out before its limiter finds us."""
    server = Server(10, lambda server, _asked: server.items(0, 10))
    items = await all_items(server.ask, dialect_of(Family.UNKNOWN))
    assert {item["id"] for item in items} == set(range(1, 11))
    assert len(server.asked) <= 5


async def test_id_that_is_no_id() -> None:
    """An id of a wrong type is no accident: it is refused where keys are read."""
    server = Server(
        0,
        lambda _server, _asked: {"items": [{"id": [1]}], "total": 1, "page_size": 100},
    )
    try:
        items = await all_items(server.ask, dialect_of(Family.NEW_API))
    except UnexpectedReplyError:
        return
    assert items == [{"id": [1]}]
