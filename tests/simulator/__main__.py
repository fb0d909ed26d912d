"""Serves a simulated gateway on loopback: `python -m tests.simulator --help`."""

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import suppress
import errno
import signal
import sys
from typing import Final

from yarl import URL

from tests.recordings import SITES, load

from . import DIALECTS, Gateway, Life

_DEMO: Final = "demo"


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; return the exit code."""
    asked = _parser().parse_args(arguments)
    if asked.site != _DEMO and asked.site not in SITES.get(asked.profile, ()):
        known = ", ".join((_DEMO, *SITES.get(asked.profile, ())))
        return _complain(f"{asked.profile} has no site {asked.site!r}, only: {known}")
    try:
        asyncio.run(_serve(asked))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return _complain(f"port {asked.port} is taken")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulator",
        description="Serve a simulated gateway on loopback.",
    )
    parser.add_argument("--port", type=int, default=0, help="0, the default: any free")
    parser.add_argument("--profile", choices=DIALECTS, default="new_api_main")
    parser.add_argument(
        "--site", default=_DEMO, help="the household (demo), or a recorded site"
    )
    parser.add_argument("--plan", action="store_true", help="a subscription as well")
    parser.add_argument("--live", action="store_true", help="spend as time goes by")
    return parser


async def _serve(asked: argparse.Namespace) -> None:
    if asked.site == _DEMO:
        gateway = Gateway.demo(asked.profile, with_plan=asked.plan)
    else:
        gateway = Gateway.from_recording(load(asked.profile, asked.site))
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with gateway.serve(port=asked.port) as url:
        _introduce(gateway, url)
        living = asyncio.create_task(Life(gateway).run()) if asked.live else None
        await stopped.wait()
        if living is not None:
            living.cancel()
            with suppress(asyncio.CancelledError):
                await living


def _introduce(gateway: Gateway, url: URL) -> None:
    """Print what is needed to log in; all of it is made up."""
    world = gateway.world
    user = next(iter(world.users.values()))
    lines = [
        f"{gateway.options.system_name} ({gateway.dialect.name}) at {url}",
        f"  user ID              {user.id}",
        f"  system access token  {user.access_token}",
        *(f"  API key              {key}  {key.name}" for key in world.keys_of(user)),
    ]
    print("\n".join(lines), flush=True)  # noqa: T201 - it is a program


def _complain(about: str) -> int:
    print(about, file=sys.stderr)  # noqa: T201 - it is a program
    return 1


if __name__ == "__main__":
    sys.exit(main())
