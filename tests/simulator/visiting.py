"""Asks a simulated gateway without any HTTP, for tests of what it answers."""

import json
from typing import Any

from .server import Gateway


def account(gateway: Gateway, user: str = "wang") -> dict[str, str]:
    """Return the headers of an account, for whichever dialect."""
    owner = gateway.world.user(user)
    return {
        "Authorization": f"Bearer {owner.access_token}",
        "New-Api-User": str(owner.id),
        "Veloera-User": str(owner.id),
    }


def bearer(gateway: Gateway, key: str) -> dict[str, str]:
    """Return the headers of a key."""
    return {"Authorization": f"Bearer {gateway.world.key(key)}"}


def data(gateway: Gateway, path: str, user: str = "wang") -> Any:
    """Return what an account is told; fail where it is refused."""
    reply = gateway.answer(path, account(gateway, user))
    said = json.loads(reply.body)
    assert (reply.status, said["success"]) == (200, True), said
    return said["data"]
