"""Pictures of the integration for the README; scripts/screenshot takes them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
import shutil
import sys
from tempfile import TemporaryDirectory
from typing import Final, Literal

from playwright.async_api import Browser, Locator, Page, ViewportSize, async_playwright
from yarl import URL

from .client import Client, Login
from .develop import furnish
from .gateway import demo_gateway
from .home_assistant import REPOSITORY, HomeAssistant, HomeAssistantFailedError
from .integration import FIGURES, account_device

type Scheme = Literal["light", "dark"]

IMAGES: Final = REPOSITORY / "docs/images"

_SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark")
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
# A browser that neither needs a desktop nor asks the network for anything of its own.
_BROWSER_OPTIONS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_VIEWPORT: Final[ViewportSize] = {"width": 1000, "height": 850}


class BrowserMissingError(Exception):
    """There is no browser to look with."""


def main() -> None:
    """Take every picture."""
    try:
        asyncio.run(_take_all())
    except (BrowserMissingError, HomeAssistantFailedError) as error:
        sys.exit(f"scripts/screenshot: {error}")


async def _take_all() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    async with _browser() as browser, _furnished() as (url, device_page):
        for scheme in _SCHEMES:
            async with _logged_in(browser, url, scheme) as page:
                graph = page.locator("hui-statistics-graph-card")
                await graph.locator("canvas").wait_for()
                await _picture(graph, "statistics", scheme)
                await page.goto(str(device_page))
                device = page.locator("ha-config-device-page")
                for figure in FIGURES:
                    await device.get_by_text(figure).first.wait_for()
                await _picture(device, "device", scheme)


@asynccontextmanager
async def _furnished() -> AsyncIterator[tuple[URL, URL]]:
    """Run a Home Assistant with the demo account; give its first page and device."""
    with TemporaryDirectory() as directory:
        async with (
            demo_gateway(with_plan=True) as demo,
            HomeAssistant(Path(directory)) as home_assistant,
            Client(home_assistant.url) as client,
        ):
            entry_id = await furnish(client, Login(), demo.credentials)
            device = await account_device(client, entry_id)
            url = home_assistant.url
            yield url, url / "config/devices/device" / device["id"]


@asynccontextmanager
async def _browser() -> AsyncIterator[Browser]:
    path = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if path is None:
        raise BrowserMissingError(
            "no Chromium here; on Debian: apt-get install chromium fonts-noto-cjk"
        )
    async with (
        async_playwright() as playwright,
        await playwright.chromium.launch(
            executable_path=path, args=_BROWSER_OPTIONS
        ) as browser,
    ):
        yield browser


@asynccontextmanager
async def _logged_in(browser: Browser, url: URL, scheme: Scheme) -> AsyncIterator[Page]:
    """Open the first page as the person who owns the place."""
    login = Login()
    async with await browser.new_context(
        color_scheme=scheme,
        reduced_motion="reduce",
        viewport=_VIEWPORT,
        device_scale_factor=2,
    ) as context:
        page = await context.new_page()
        await page.goto(str(url))
        await page.locator("input[name=username]").fill(login.username)
        await page.locator("input[name=password]").fill(login.password)
        await page.keyboard.press("Enter")
        yield page


async def _picture(locator: Locator, name: str, scheme: Scheme) -> None:
    """Take a picture of one element."""
    # Icons and the brand are fetched on their own.
    await locator.page.wait_for_load_state("networkidle")
    path = IMAGES / f"{name}-{scheme}.png"
    await locator.screenshot(path=path)
    print(path.relative_to(REPOSITORY), flush=True)  # noqa: T201 - a program prints


if __name__ == "__main__":
    main()
