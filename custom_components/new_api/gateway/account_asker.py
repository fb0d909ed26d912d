"""Asking what only an account may know, and what a no to that means."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from .asker import Asker
from .errors import (
    DeclinedError,
    EndpointMissingError,
    Refusal,
    RefusedError,
    ServerTroubleError,
)
from .journal import Journal
from .missing import Missing
from .models import Site
from .pages import PAGE_SIZE, AskPage
from .transport import SUCCESS, Reply

ACCOUNT: Final = "/api/user/self"

# Servers take what is unknown under it for the id of a user (gateway_api.md 1.3).
_USERS: Final = "/api/user"

_ABOUT_THE_ACCOUNT: Final = frozenset(
    {
        Refusal.OWNER_DISABLED,
        Refusal.USER_ID_MISSING,
        Refusal.USER_ID_MISMATCH,
    }
)


class AccountAsker:
    """Asks with the access token, and tells a refused token from a missing endpoint."""

    def __init__(self, asker: Asker, journal: Journal, missing: Missing) -> None:
        """Start with what is known to be missing."""
        self._asker = asker
        self._journal = journal
        self._missing = missing

    async def account(self) -> Reply:
        """Ask for the account itself, which every site shows.

        Raises RefusedError where the token or the user ID is wrong, with one of the
        reasons INVALID, OWNER_DISABLED, USER_ID_MISSING and USER_ID_MISMATCH, and with
        UNEXPLAINED where something stands in front of the site.
        """
        try:
            return await self._asker.get_as_account(ACCOUNT)
        except RefusedError as err:
            raise _about_the_account(err) from None

    async def ask[Answer](
        self,
        site: Site,
        path: str,
        read: Callable[[Reply], Answer],
        params: Mapping[str, str] | None = None,
        *,
        is_there: bool = False,
    ) -> Answer:
        """Ask what not every site has, or not for every account, and read the reply.

        `is_there` tells that the site says to have it, so that a no is trouble. Raises
        RefusedError as `account` does, and EndpointMissingError where the site does not
        have it, and then does not ask again for a day.
        """
        if self._missing.knows(site, path):
            raise _missing()
        try:
            reply = await self._get(path, params, is_there=is_there)
            with self._journal.reading(path):
                answer = read(reply)
        except EndpointMissingError:
            self._missing.note(site, path)
            raise
        self._missing.note_answer(path)
        return answer

    def pages(
        self, site: Site, path: str, params: Mapping[str, str] | None = None
    ) -> AskPage:
        """Return what asks for the pages of a list; each server has its own names."""
        size = str(PAGE_SIZE)
        asked = {"page_size": size, "size": size, **(params or {})}

        def read(reply: Reply) -> Mapping[str, Any]:
            reply.payload(marker=SUCCESS)
            return reply.data

        async def ask(parameter: str, number: int) -> Mapping[str, Any]:
            return await self.ask(site, path, read, {parameter: str(number), **asked})

        return ask

    async def _get(
        self, path: str, params: Mapping[str, str] | None, *, is_there: bool
    ) -> Reply:
        # Servers take what is unknown there for the id of a user (1.3).
        may_be_shadowed = not is_there and path.rpartition("/")[0] == _USERS
        try:
            return await self._asker.get_as_account(path, params)
        except DeclinedError:
            if not may_be_shadowed:
                raise
        except RefusedError as err:
            if _is_about_the_token(err):
                raise _about_the_account(err) from None
            # Many servers refuse a wrong token and everything else in the same words
            # (2.3, 7). Where the account is shown, it is something else.
            await self.account()
            if err.status == HTTPStatus.OK and not may_be_shadowed:
                raise ServerTroubleError("The site failed to answer") from err
        raise _missing()


def _missing() -> EndpointMissingError:
    return EndpointMissingError("The site has no such endpoint")


def _is_about_the_token(err: RefusedError) -> bool:
    """Tell whether a refusal says nothing of the question itself."""
    return (
        not err.by_dashboard
        or err.status == HTTPStatus.UNAUTHORIZED
        or err.reason in _ABOUT_THE_ACCOUNT
    )


def _about_the_account(err: RefusedError) -> RefusedError:
    """Return a refusal with one of the reasons that `account` gives."""
    if err.by_dashboard and err.reason in _ABOUT_THE_ACCOUNT:
        return err
    # Whatever else the dashboard says, in a 200 or a 401, is about the token. Who
    # answers otherwise stands before it (1.2).
    is_rejected = err.by_dashboard and err.status != HTTPStatus.FORBIDDEN
    reason = Refusal.INVALID if is_rejected else Refusal.UNEXPLAINED
    return RefusedError(reason, err.status)
