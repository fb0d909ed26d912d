"""What the owner of a site and its network do."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from tests.household import DEEPSEEK, GPT, HAIKU
from tests.simulator import Answer, Fault, Hang, Reset

from .scene import Scene

_HTML: Final = (("Content-Type", "text/html; charset=utf-8"),)
_FAULTS: Final[tuple[Fault, ...]] = (
    Answer(502, "<html>bad</html>", _HTML),
    Answer(429, "", (("Retry-After", "60"),)),
    Answer(429),
    Answer(200, "<!doctype html><title>spa</title>", _HTML),
    Reset(),
    Answer(500, ""),
    Answer.json(200, '{"success": false, "message": "database is locked"}'),
    Hang(),
)
_PATHS: Final = (
    "*",
    "/api/data/flow/self",
    "/api/data/self",
    "/api/log/self",
    "/api/log/self/stat",
    "/api/notice",
    "/api/status",
    "/api/subscription/*",
    "/api/token/*",
    "/api/usage/token/*",
    "/api/user/dashboard",
    "/api/user/models",
    "/api/user/self",
    "/v1/dashboard/billing/*",
)
_MODELS: Final = (HAIKU, DEEPSEEK, GPT)
_LATE: Final[tuple[dict[str, int], ...]] = (
    {},
    {"user.quota": 45},
    {"user.used_quota": 45},
    {"user.quota": 60, "user.used_quota": 30, "user.request_count": 30},
    {"key.used_quota": 40, "key.remain_quota": 40},
)
_HOUR: Final = 3_600


class Owner:
    """Who changes the site; now and then it fails."""

    def __init__(self, scene: Scene) -> None:
        """Begin with a site that works."""
        self.may_hang = False
        """Whether a request can have been left without an answer."""
        self.kinds: dict[str, Callable[[], bool]] = {
            "fault": self._fail,
            "late figures": self._be_late,
            "late statistics": self._switch_nodes,
            "log": self._switch_log,
            "log purged": self._purge,
            "model": self._change_models,
            "news": self._announce,
            "unit": self._change_unit,
        }
        """What happens now and then; each tells whether it could."""
        # One API, One Hub and Done Hub make their statistics of the log.
        if b"enable_data_export" in scene.gateway.answer("/api/status").body:
            self.kinds["data export"] = self._switch_export
        self._scene = scene
        self._faulty_since: int | None = None
        self._number = 0

    @property
    def is_faulty(self) -> bool:
        """Tell whether a request may fail."""
        return self._faulty_since is not None

    def come_to_rest(self) -> None:
        """Let all work that works again by itself, so that everything can be known."""
        self.mend()
        if self._scene.holds_back:
            self._switch_nodes()

    def mend(self) -> None:
        """Let all faults be over."""
        if self._faulty_since is not None:
            self._scene.gateway.faults.clear()
            self._scene.ledger.unread.append(
                (self._faulty_since, self._scene.world.now)
            )
            self._faulty_since = None
            self._scene.note("faults over")

    def _fail(self) -> bool:
        path, fault = (
            self._scene.chance.choice(_PATHS),
            self._scene.chance.choice(_FAULTS),
        )
        times = self._scene.chance.choice((None, None, 1, 2, 5))
        self._scene.gateway.faults.add(path, fault, times=times)
        if self._faulty_since is None:
            self._faulty_since = self._scene.world.now
        self.may_hang |= isinstance(fault, Hang)
        self._scene.note("fault", path, fault, times or "from now on")
        return True

    def _switch_export(self) -> bool:
        is_on = not self._scene.gateway.options.data_export
        self._scene.gateway.configure(data_export=is_on)
        self._scene.note("data export", is_on)
        return True

    def _switch_log(self) -> bool:
        is_on = not self._scene.gateway.options.log_consumption
        self._scene.gateway.configure(log_consumption=is_on)
        self._scene.ledger.log_has_gaps = True
        self._scene.note("log", is_on)
        return True

    def _purge(self) -> bool:
        before = (
            self._scene.world.now - self._scene.chance.choice((6, 20, 48, 120)) * _HOUR
        )
        self._scene.world.log_purged_before = max(
            self._scene.world.log_purged_before, before
        )
        self._scene.ledger.log_has_gaps = True
        self._scene.note(
            "log purged", datetime.fromtimestamp(before, self._scene.ledger.zone)
        )
        return True

    def _switch_nodes(self) -> bool:
        self._scene.holds_back = not self._scene.holds_back
        if not self._scene.holds_back:
            self._scene.world.deliver()
        self._scene.note("late statistics", self._scene.holds_back)
        return True

    def _be_late(self) -> bool:
        late = self._scene.chance.choice(_LATE)
        self._scene.gateway.configure(late=late)
        self._scene.note("late figures", late)
        return True

    def _change_models(self) -> bool:
        there = [model.name for model in self._scene.world.models]
        if self._scene.chance.random() < 0.5 and len(there) > 2:
            what, name = "model_removed", self._scene.chance.choice(there)
            self._scene.world.remove_model(name)
        else:
            self._number += 1
            gone = [name for name in _MODELS if name not in there]
            what = "model_added"
            name = self._scene.chance.choice((f"model-{self._number}", *gone))
            self._scene.world.add_model(name)
        self._scene.ledger.announced[what, name] += 1
        self._scene.note("model", what, name)
        return True

    def _announce(self) -> bool:
        self._number += 1
        text = f"Text {self._number}"
        what = self._scene.chance.choice(("announcement", "notice"))
        if what == "notice":
            self._scene.gateway.configure(notice=text)
        else:
            self._scene.gateway.announce(text)
        self._scene.ledger.announced[what, text] += 1
        self._scene.note("news", what, text)
        return True

    def _change_unit(self) -> bool:
        if self._scene.gateway.dialect.knows_display_types:
            unit = self._scene.chance.choice(("USD", "CNY", "TOKENS"))
            self._scene.gateway.configure(quota_display_type=unit)
        else:
            unit = self._scene.chance.choice(("USD", "TOKENS"))
            self._scene.gateway.configure(display_in_currency=unit == "USD")
        self._scene.note("unit", unit)
        return True
