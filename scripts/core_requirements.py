"""Print what core integrations, those that they name and the login require of PyPI.

Home Assistant installs it when it first meets them; the locks have it beforehand, so
that nothing is installed while tests run. "scripts/lock" runs this in an environment
with the release in question.

Usage: core_requirements.py [--defaults] [DOMAIN ...]
"""

import importlib
import json
from pathlib import Path
import sys

from homeassistant import auth
from homeassistant.bootstrap import CORE_INTEGRATIONS, DEFAULT_INTEGRATIONS
import homeassistant.components

# The modules of the login that have requirements of their own, which no manifest names.
LOGIN_MODULES = ("mfa_modules.notify", "mfa_modules.totp")


def manifest_requirements(domains: set[str]) -> set[str]:
    """Return the requirements of integrations and of all that their manifests name."""
    components = Path(homeassistant.components.__path__[0])
    requirements: set[str] = set()
    seen: set[str] = set()
    waiting = set(domains)
    while waiting:
        domain = waiting.pop()
        seen.add(domain)
        manifest = json.loads((components / domain / "manifest.json").read_text())
        requirements.update(manifest.get("requirements", []))
        for kind in ("dependencies", "after_dependencies"):
            waiting.update(set(manifest.get(kind, [])) - seen)
    return requirements


def login_requirements() -> set[str]:
    """Return the requirements of the login."""
    return {
        requirement
        for name in LOGIN_MODULES
        for requirement in importlib.import_module(
            f"{auth.__name__}.{name}"
        ).REQUIREMENTS
    }


def main(arguments: list[str]) -> None:
    """Print one requirement a line."""
    domains = {argument for argument in arguments if not argument.startswith("--")}
    if "--defaults" in arguments:
        domains |= CORE_INTEGRATIONS | DEFAULT_INTEGRATIONS
    requirements = manifest_requirements(domains) | login_requirements()
    print("\n".join(sorted(requirements, key=str.lower)))


if __name__ == "__main__":
    main(sys.argv[1:])
