"""Check what no linter knows: the files that Home Assistant and its stores read.

Most of it is what Home Assistant's own "hassfest" would say, which needs a network and
Docker; the rest is this repository's own rules. Prints one line for each problem.

Usage: check_integration.py
"""

from collections.abc import Callable, Iterator, Mapping
import json
from pathlib import Path
import re
import struct
import subprocess
import sys
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
DOMAIN = "new_api"
INTEGRATION = ROOT / "custom_components" / DOMAIN

MANIFEST_REQUIRED = {
    "codeowners",
    "config_flow",
    "documentation",
    "domain",
    "integration_type",
    "iot_class",
    "issue_tracker",
    "name",
    "requirements",
    "version",
}
MANIFEST_KNOWN = MANIFEST_REQUIRED | {
    "after_dependencies",
    "bluetooth",
    "categories",
    "connectivity",
    "dependencies",
    "dhcp",
    "homekit",
    "import_executor",
    "loggers",
    "lorawan",
    "mqtt",
    "preview_features",
    "quality_scale",
    "single_config_entry",
    "ssdp",
    "usb",
    "zeroconf",
}
IOT_CLASSES = (
    "assumed_state",
    "calculated",
    "cloud_polling",
    "cloud_push",
    "local_polling",
    "local_push",
)
INTEGRATION_TYPES = (
    "device",
    "entity",
    "hardware",
    "helper",
    "hub",
    "service",
    "system",
    "virtual",
)
MANIFEST_VALUES: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("domain", lambda value: value == DOMAIN, DOMAIN),
    ("documentation", lambda value: value.startswith("https://"), "an https address"),
    ("issue_tracker", lambda value: value.startswith("https://"), "an https address"),
    (
        "version",
        lambda value: bool(re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", value)),
        "of the form 1.2.3 or 1.2.3b4",
    ),
    (
        "version",
        lambda value: value != "0.0.0",
        "another than 0.0.0, which Home Assistant blocks",
    ),
    (
        "iot_class",
        lambda value: value in IOT_CLASSES,
        f"one of {', '.join(IOT_CLASSES)}",
    ),
    (
        "integration_type",
        lambda value: value in INTEGRATION_TYPES,
        f"one of {', '.join(INTEGRATION_TYPES)}",
    ),
    (
        "requirements",
        lambda value: value == [],
        "empty: only what Home Assistant brings is used",
    ),
    (
        "codeowners",
        lambda value: all(owner.startswith("@") for owner in value),
        "names that start with @",
    ),
)

# The shape of a brand image, and the length of its shorter side.
ICON_SIDES = {"icon.png": 256, "icon@2x.png": 512}
LOGO_SIDES = {"logo.png": (128, 256), "logo@2x.png": (256, 512)}

QUALITY_SCALE_RULES = {
    # Bronze
    "action-setup",
    "appropriate-polling",
    "brands",
    "common-modules",
    "config-flow",
    "config-flow-test-coverage",
    "dependency-transparency",
    "docs-actions",
    "docs-conditions",
    "docs-high-level-description",
    "docs-installation-instructions",
    "docs-removal-instructions",
    "docs-triggers",
    "entity-event-setup",
    "entity-unique-id",
    "has-entity-name",
    "runtime-data",
    "test-before-configure",
    "test-before-setup",
    "unique-config-entry",
    # Silver
    "action-exceptions",
    "config-entry-unloading",
    "docs-configuration-parameters",
    "docs-installation-parameters",
    "entity-unavailable",
    "integration-owner",
    "log-when-unavailable",
    "parallel-updates",
    "reauthentication-flow",
    "test-coverage",
    # Gold
    "devices",
    "diagnostics",
    "discovery",
    "discovery-update-info",
    "docs-data-update",
    "docs-examples",
    "docs-known-limitations",
    "docs-supported-devices",
    "docs-supported-functions",
    "docs-troubleshooting",
    "docs-use-cases",
    "dynamic-devices",
    "entity-category",
    "entity-device-class",
    "entity-disabled-by-default",
    "entity-translations",
    "exception-translations",
    "icon-translations",
    "reconfiguration-flow",
    "repair-issues",
    "stale-devices",
    # Platinum
    "async-dependency",
    "inject-websession",
    "strict-typing",
}

PLACEHOLDER = re.compile(r"{\s*(\w+)\s*[,}]")
ICON = re.compile(r"mdi:[a-z0-9]+(-[a-z0-9]+)*")
BADGE_HOME = re.compile(r"owner=([\w.-]+)&(?:amp;)?repository=([\w.-]+)")
SHIELD = re.compile(r"shields\.io/github/([^\s?)\"]+)")
PINNED_ACTION = re.compile(r"uses: +[\w./-]+@[0-9a-f]{40} # \S")

# Where packages come from is the machine's affair, and a folder of one machine is no
# other's. In two halves, so that this file is not found itself.
PACKAGE_HOSTS = (
    "py" + r"pi\.org",
    "python" + r"hosted\.org",
    "deb" + r"\.debian\.org",
    "npm" + r"js\.org",
    "crates" + r"\.io",
    "maven" + r"\.org",
    "golang" + r"\.org",
)
FORBIDDEN = re.compile(
    "|".join(PACKAGE_HOSTS) + r"|(?<![\w.}-])/(?:root|work)/", re.IGNORECASE
)

type Texts = dict[str, str]


def read_json(path: Path) -> Any:
    """Return what a JSON file says; raise ValueError where a key comes twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            message = f"a key comes twice among {', '.join(key for key, _ in pairs)}"
            raise ValueError(message)
        return found

    return json.loads(path.read_text(), object_pairs_hook=once)


def flatten(tree: Any, path: str = "") -> Texts:
    """Return the leaves of nested mappings by their dotted path."""
    if not isinstance(tree, Mapping):
        return {path: tree}
    leaves: Texts = {}
    for key, value in tree.items():
        leaves |= flatten(value, f"{path}.{key}" if path else key)
    return leaves


def tracked_files() -> list[Path]:
    """Return the files that are, or are about to be, in the repository."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    return [path for name in sorted(set(names)) if (path := ROOT / name).is_file()]


def check_manifest() -> Iterator[str]:
    """Check the manifest."""
    manifest = read_json(INTEGRATION / "manifest.json")
    ordered = ["domain", "name", *sorted(manifest.keys() - {"domain", "name"})]
    if list(manifest) != ordered:
        yield f"the keys must come in the order {', '.join(ordered)}"
    for key in sorted(MANIFEST_REQUIRED - manifest.keys()):
        yield f"{key} is missing"
    for key in sorted(manifest.keys() - MANIFEST_KNOWN):
        yield f"{key} is no key that Home Assistant knows"
    for key, holds, what in MANIFEST_VALUES:
        if key in manifest and not holds(manifest[key]):
            yield f"{key} must be {what}"


def check_text(text: Any) -> Iterator[str]:
    """Check one translated text."""
    if not isinstance(text, str) or not text.strip():
        yield "is empty"
        return
    if text != text.strip():
        yield "has a space at an end"
    if re.search(r"https?://|\bwww\.", text):
        yield "has an address in it; use a placeholder"
    if "[%key:" in text:
        yield "refers to another text, which a custom integration cannot"
    if re.search(r"</?[a-z]", text):
        yield "has HTML in it"
    if re.search(r"'{\w+}'", text):
        yield "has a placeholder in single quotes, which is not filled in"


def check_translations() -> Iterator[str]:
    """Check that all languages say the same things, and properly."""
    languages = {
        path.stem: flatten(read_json(path))
        for path in sorted((INTEGRATION / "translations").glob("*.json"))
    }
    if "en" not in languages:
        yield "en.json is missing"
        return
    english = languages["en"]
    for language, texts in languages.items():
        for key, text in texts.items():
            for problem in check_text(text):
                yield f"{language}: {key} {problem}"
        for key in sorted(english.keys() - texts.keys()):
            yield f"{language}: {key} is missing"
        for key in sorted(texts.keys() - english.keys()):
            yield f"{language}: {key} is not in en.json"
        for key in sorted(english.keys() & texts.keys()):
            wanted = set(PLACEHOLDER.findall(str(english[key])))
            used = set(PLACEHOLDER.findall(str(texts[key])))
            if used != wanted:
                yield (
                    f"{language}: {key} has the placeholders {sorted(used)}, "
                    f"in en.json they are {sorted(wanted)}"
                )


def check_icons() -> Iterator[str]:
    """Check the icons, and that what they belong to has a name."""
    icons = read_json(INTEGRATION / "icons.json")
    english = read_json(INTEGRATION / "translations" / "en.json")
    for path, icon in flatten(icons).items():
        if not ICON.fullmatch(str(icon)):
            yield f"{path} is {icon}, no icon of the form mdi:name"
    for platform, entities in icons.get("entity", {}).items():
        names = english.get("entity", {}).get(platform, {})
        for key, entity in entities.items():
            yield from (
                f"entity.{platform}.{key} {problem}"
                for problem in check_entity_icons(entity, names.get(key))
            )
    for kind in ("conditions", "services", "triggers"):
        for key in sorted(icons.get(kind, {}).keys() - english.get(kind, {}).keys()):
            yield f"{kind}.{key} is not in en.json"


def check_entity_icons(
    entity: Mapping[str, Any], names: Mapping[str, Any] | None
) -> Iterator[str]:
    """Check the icons of one entity."""
    if names is None:
        yield "is not in en.json"
        return
    if "default" not in entity:
        yield "has no default"
    states = entity.get("state", {})
    for state, icon in states.items():
        if icon == entity.get("default"):
            yield f"has its default again for the state {state}"
    if "state" in names:
        for state in sorted(states.keys() - names["state"].keys()):
            yield f"has an icon for the state {state}, which is not in en.json"


def png_size(path: Path) -> tuple[int, int]:
    """Return the width and height of a PNG."""
    head = path.read_bytes()[:24]
    if head[:8] != b"\x89PNG\r\n\x1a\n" or head[12:16] != b"IHDR":
        message = f"{path.name} is no PNG"
        raise ValueError(message)
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def check_brand() -> Iterator[str]:
    """Check the brand images, light and dark."""
    folder = INTEGRATION / "brand"
    sizes = {path.name: png_size(path) for path in sorted(folder.glob("*.png"))}
    expected = {
        f"{theme}{name}" for theme in ("", "dark_") for name in ICON_SIDES | LOGO_SIDES
    }
    for name in sorted(expected - sizes.keys()):
        yield f"{name} is missing"
    for path in sorted(folder.iterdir()):
        if path.name not in expected:
            yield f"{path.name} is no file that Home Assistant reads"
    for name, (width, height) in sizes.items():
        plain = name.removeprefix("dark_")
        if plain in ICON_SIDES and (width, height) != (ICON_SIDES[plain],) * 2:
            yield f"{name} is {width}x{height}, not {ICON_SIDES[plain]} on each side"
        if plain in LOGO_SIDES:
            shortest, longest = LOGO_SIDES[plain]
            if not shortest <= min(width, height) <= longest:
                yield (
                    f"{name} is {width}x{height}; its shorter side must be "
                    f"{shortest} to {longest}"
                )
            single = sizes.get(name.replace("@2x", ""))
            if (
                "@2x" in name
                and single
                and (width, height) != tuple(2 * side for side in single)
            ):
                yield f"{name} is {width}x{height}, not twice the plain one"


def check_quality_scale() -> Iterator[str]:
    """Check that each rule of the quality scale is answered."""
    scale = yaml.safe_load((INTEGRATION / "quality_scale.yaml").read_text())
    rules: dict[str, Any] = scale.get("rules", {})
    for rule in sorted(QUALITY_SCALE_RULES - rules.keys()):
        yield f"{rule} is missing"
    for rule in sorted(rules.keys() - QUALITY_SCALE_RULES):
        yield f"{rule} is no rule of the scale"
    for rule, answer in rules.items():
        status = answer.get("status") if isinstance(answer, dict) else answer
        if status not in ("done", "exempt", "todo"):
            yield f"{rule} must be done, exempt or todo"
        if status == "exempt" and not (
            isinstance(answer, dict) and answer.get("comment")
        ):
            yield f"{rule} is exempt, but no comment says why"


def check_home() -> Iterator[str]:
    """Check that all files agree on where the repository lives."""
    manifest = read_json(INTEGRATION / "manifest.json")
    address = manifest["documentation"]
    owner, repository = address.removeprefix("https://github.com/").split("/")
    home = f"{owner}/{repository}"
    if manifest["issue_tracker"] != f"{address}/issues":
        yield f"issue_tracker in the manifest is not {address}/issues"
    if manifest["codeowners"] != [f"@{owner}"]:
        yield f"codeowners in the manifest is not @{owner}"
    if f"* @{owner}" not in (ROOT / ".github" / "CODEOWNERS").read_text().splitlines():
        yield f".github/CODEOWNERS does not give everything to @{owner}"
    for path in sorted(ROOT.glob("README*.md")):
        text = path.read_text()
        if address not in text:
            yield f"{path.name} does not name {address}"
        for linked in ("/".join(found) for found in BADGE_HOME.findall(text)):
            if linked != home:
                yield f"{path.name} has a link to install {linked}"
        for shown in SHIELD.findall(text):
            if f"/{home}/" not in f"/{shown}/":
                yield f"{path.name} has a badge of {shown}"


def check_stores() -> Iterator[str]:
    """Check what the Marketplace and HACS read."""
    store = read_json(ROOT / "hacs.json")
    if store.get("name") != read_json(INTEGRATION / "manifest.json")["name"]:
        yield "the name is not the manifest's"
    if not re.fullmatch(r"\d{4}\.\d+\.\d+", store.get("homeassistant", "")):
        yield "homeassistant is no release of Home Assistant"
    if store.get("zip_release") and store.get("filename") != f"{DOMAIN}.zip":
        yield f"filename is not the {DOMAIN}.zip that a release brings"


def check_workflows() -> Iterator[str]:
    """Check that workflows run nothing that somebody else can change."""
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        text = path.read_text()
        if "\npermissions: {}\n" not in text:
            yield f"{path.name} does not start from 'permissions: {{}}'"
        for number, line in enumerate(text.splitlines(), 1):
            if "uses: " in line and not PINNED_ACTION.search(line):
                yield f"{path.name}:{number} is not pinned to a commit with its version"


def check_words() -> Iterator[str]:
    """Check that no file knows the machine that it was written on."""
    for path in tracked_files():
        try:
            lines = path.read_text().splitlines()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, 1):
            if found := FORBIDDEN.search(line):
                yield f"{path.relative_to(ROOT)}:{number} has {found[0]!r} in it"


CHECKS = {
    "manifest.json": check_manifest,
    "translations": check_translations,
    "icons.json": check_icons,
    "brand": check_brand,
    "quality_scale.yaml": check_quality_scale,
    "home": check_home,
    "hacs.json": check_stores,
    "workflows": check_workflows,
    "words": check_words,
}


def main() -> int:
    """Print all problems; return 1 where there are some."""
    problems = 0
    for subject, check in CHECKS.items():
        try:
            found = list(check())
        except (OSError, ValueError, KeyError, yaml.YAMLError) as error:
            found = [f"cannot be checked: {error!r}"]
        for problem in found:
            print(f"{subject}: {problem}")
        problems += len(found)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
