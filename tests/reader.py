"""Somebody who reads what Home Assistant shows, in every language that we speak."""

from collections.abc import Iterable, Mapping
import re
from typing import Any, Final

from custom_components.new_api.const import DOMAIN
from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import DOMAIN as HOMEASSISTANT, HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, section
from homeassistant.helpers.issue_registry import IssueEntry
from homeassistant.helpers.translation import async_get_translations

LANGUAGES: Final = ("en", "zh-Hans")

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


class Reader:
    """Reads the texts of flows, and is not content with keys or placeholders."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Sit down in front of Home Assistant."""
        self._hass = hass

    async def read_flow(self, result: Mapping[str, Any] | ConfigFlowResult) -> None:
        """Read a form, a menu or the end of a flow."""
        # The handler of an options flow is the entry.
        kind = "config" if result["handler"] == DOMAIN else "options"
        if result["type"] is FlowResultType.FORM:
            await self._read_form(kind, result)
        elif result["type"] is FlowResultType.MENU:
            await self._read_menu(kind, result)
        elif result["type"] is FlowResultType.ABORT:
            await self._read(
                "config",
                f"abort.{result['reason']}",
                result.get("description_placeholders"),
            )

    async def read_issue(self, issue: IssueEntry) -> None:
        """Read a repair as it stands in the list."""
        parts = ("title",) if issue.is_fixable else ("title", "description")
        for part in parts:
            await self._read(
                "issues",
                f"{issue.translation_key}.{part}",
                issue.translation_placeholders,
            )

    async def read_repair(self, issue: IssueEntry, form: Mapping[str, Any]) -> None:
        """Read the form behind a repair."""
        flow = f"{issue.translation_key}.fix_flow"
        step = f"{flow}.step.{form['step_id']}"
        errors = [f"{flow}.error.{error}" for error in form["errors"].values()]
        for text in (f"{step}.title", f"{step}.description", *errors):
            await self._read("issues", text, form["description_placeholders"])

    async def _read_form(
        self, kind: str, result: Mapping[str, Any] | ConfigFlowResult
    ) -> None:
        placeholders = result.get("description_placeholders")
        step = f"step.{result['step_id']}"
        schema = result["data_schema"]
        assert schema is not None
        texts = [f"{step}.title"]
        if kind == "config":
            texts.append(f"{step}.description")
        errors = result.get("errors") or {}
        unseen = set(errors) - {"base", *map(str, schema.schema)}
        assert not unseen, f"No field shows {errors}"
        for field, shown in schema.schema.items():
            if isinstance(shown, section):
                part = f"{step}.sections.{field}"
                texts += [f"{part}.name", f"{part}.description"]
                texts += _of_fields(part, shown.schema.schema)
            else:
                texts += _of_fields(step, (field,))
        texts += [f"error.{error}" for error in errors.values()]
        for text in texts:
            await self._read(kind, text, placeholders)

    async def _read_menu(
        self, kind: str, result: Mapping[str, Any] | ConfigFlowResult
    ) -> None:
        step = f"step.{result['step_id']}"
        texts = [f"{step}.title", f"{step}.description"]
        options: Any = result["menu_options"]
        texts += [f"{step}.menu_options.{each}" for each in options]
        for text in texts:
            await self._read(kind, text, result.get("description_placeholders"))

    async def _read(
        self, kind: str, text: str, placeholders: Mapping[str, str] | None
    ) -> None:
        for language in LANGUAGES:
            found = await self._find(language, kind, text)
            assert found, f"{language} has no {kind}.{text}"
            missing = set(_PLACEHOLDER.findall(found)) - set(placeholders or {})
            assert not missing, f"Nothing stands for {missing} in {kind}.{text}"

    async def _find(self, language: str, kind: str, text: str) -> str | None:
        """Return a text; those of Home Assistant itself stand in for ours."""
        for domain in (DOMAIN, HOMEASSISTANT):
            texts = await async_get_translations(
                self._hass, language, kind, {domain}, config_flow=False
            )
            if found := texts.get(f"component.{domain}.{kind}.{text}"):
                return found
        return None


def _of_fields(part: str, fields: Iterable[object]) -> list[str]:
    """Return the names of the texts of fields, which stand in a part of the texts."""
    return [
        f"{part}.{kind}.{field}"
        for field in fields
        for kind in ("data", "data_description")
    ]
