"""A Home Assistant and a simulated gateway to try things in: scripts/develop."""

from argparse import ArgumentParser, Namespace
import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
import signal
import sys
from typing import Any, Final

from .client import Client, Home, Login, RefusedError, eventually
from .dashboard import show_account
from .gateway import demo_gateway, spending
from .home_assistant import (
    INTEGRATION,
    REPOSITORY,
    HomeAssistant,
    HomeAssistantFailedError,
    free_port,
)
from .integration import (
    FIGURES,
    SPENDING,
    Credentials,
    account_device,
    account_figures,
    add_account,
    entity_ids,
)

# Where each of the two is found on a machine of its own.
_HOME_ASSISTANT_PORT: Final = 8123
_GATEWAY_PORT: Final = 3000

# The statistics of one model are not written later than this after another's.
_MODELS_APART: Final = 3


def main() -> None:
    """Run until told to stop."""
    arguments = _arguments()
    try:
        asyncio.run(_until_told_to_stop(_develop(arguments)))
    except (HomeAssistantFailedError, RefusedError, TimeoutError) as error:
        sys.exit(f"scripts/develop: {error}")


def _arguments() -> Namespace:
    parser = ArgumentParser(
        prog="scripts/develop",
        description="Start a Home Assistant with the integration and a gateway for it.",
    )
    parser.add_argument(
        "--bare",
        action="store_true",
        help="leave the setting up to you: no user, no account, no dashboard",
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="go on with the Home Assistant of the last run instead of a fresh one",
    )
    parser.add_argument(
        "--directory",
        type=Path,
        default=REPOSITORY / ".develop",
        help="where that Home Assistant lives (default: %(default)s)",
    )
    return parser.parse_args()


async def _until_told_to_stop(work: Coroutine[Any, Any, None]) -> None:
    """Do some work until it ends or the process is told to stop."""
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


async def _develop(arguments: Namespace) -> None:
    home_assistant = HomeAssistant(
        arguments.directory, port=free_port(_HOME_ASSISTANT_PORT), debug=True
    )
    if not arguments.keep:
        home_assistant.forget()
    login = None if arguments.bare else Login()
    async with (
        demo_gateway(free_port(_GATEWAY_PORT), with_plan=True) as demo,
        spending(demo),
    ):
        _say("Starting Home Assistant, which takes some seconds ...")
        async with home_assistant:
            _introduce(home_assistant, demo.credentials, login)
            if login is not None:
                async with Client(home_assistant.url) as client:
                    entry_id = await furnish(client, login, demo.credentials)
                    await _show_figures(client, entry_id)
            _say("\nCtrl-C stops both.")
            await home_assistant.wait()


def _introduce(
    home_assistant: HomeAssistant, credentials: Credentials, login: Login | None
) -> None:
    """Say what is where and what opens it."""
    whose = f"{login.username} / {login.password}" if login else "yours to set up"
    _say(
        f"""
Home Assistant    {home_assistant.url}
  login           {whose}
  log             {home_assistant.log.path}
Gateway           {credentials.url} (simulated)
  user ID         {credentials.user_id}
  access token    {credentials.access_token}
  API key         {credentials.api_key}
"""
    )


async def furnish(client: Client, login: Login, credentials: Credentials) -> str:
    """Bring a Home Assistant to where the demo account is seen; return its entry."""
    if await client.is_new():
        await client.onboard(login, Home())
    else:
        await client.log_in(login)
    await eventually(client.is_running, within=60)
    if entries := await client.entries(INTEGRATION):
        entry_id: str = entries[0]["entry_id"]
        return entry_id
    entry_id = await add_account(client, credentials)
    device = await account_device(client, entry_id)
    figures = await account_figures(client, entry_id)
    states = await client.states()
    details = {
        name: entity_id
        for name, entity_id in (
            await entity_ids(client, entry_id, device["id"])
        ).items()
        if entity_id in states and name not in figures
    }
    spending = await _spending_statistics(client)
    await show_account(client, device["name"], figures, details, spending)
    return entry_id


async def _spending_statistics(client: Client) -> list[str]:
    """Wait until no more statistics come of what each model cost; return their ids."""
    seen: set[str] = set()

    async def all_of_them() -> set[str]:
        nonlocal seen
        before = seen
        seen = {
            statistic_id
            for statistic_id, kept in (await client.statistics()).items()
            if kept["source"] == INTEGRATION and "_spent_" in statistic_id
        }
        if seen == before:
            return seen
        await asyncio.sleep(_MODELS_APART)
        return set()

    return sorted(await eventually(all_of_them, within=60))


async def _show_figures(client: Client, entry_id: str) -> None:
    """Print the account's figures as a dashboard shows them."""
    figures = await account_figures(client, entry_id, (*FIGURES, *SPENDING))
    for name, entity_id in figures.items():
        shown = await client.render(
            f"{{{{ states('{entity_id}', with_unit=True, rounded=True) }}}}"
        )
        _say(f"{name:<18}{shown}")


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a program prints


if __name__ == "__main__":
    main()
