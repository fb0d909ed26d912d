"""What people do with their account and its keys."""

from collections.abc import Callable
from typing import Final

from tests.household import DOLLAR
from tests.simulator import NothingPaysError, Offer, Period, Reservation

from .ledger import Refund
from .scene import Scene

_PREFERENCES: Final = (
    "subscription_first",
    "subscription_only",
    "wallet_first",
    "wallet_only",
)
_HOUR: Final = 3_600


class People:
    """Those who spend, and pay for it."""

    def __init__(self, scene: Scene) -> None:
        """Begin with nothing under way."""
        self.kinds: dict[str, Callable[[], bool]] = {
            "balance taken": self._take,
            "income": self._pay_in,
            "key deleted": self._delete_key,
            "key edited": self._edit_key,
            "new key": self._add_key,
            "play": self._play,
            "refund": self._refund,
            "reservation": self._reserve,
        }
        """What happens now and then; each tells whether it could."""
        if scene.gateway.dialect.accounting.plans_pay:
            self.kinds["plan"] = self._change_plans
        self._scene = scene
        self._under_way: list[tuple[int, Reservation]] = []
        self._number = 0

    def spend(self) -> None:
        """Let some key ask a model for something."""
        if self._scene.is_poor:
            return
        chance = self._scene.chance
        quota = chance.choice(
            (
                chance.randint(1, 2_000),
                chance.randint(1_000, 200_000),
                chance.randint(1, 1_000_000),
            )
        )
        key = self._scene.some_key()
        try:
            row = self._scene.gateway.spend(
                key.name,
                quota,
                model=self._scene.some_model(),
                prompt_tokens=chance.randint(1, 9_000),
                completion_tokens=chance.randint(1, 3_000),
            )
        except NothingPaysError:
            return
        self._scene.booked(row)
        self._scene.note("spend", key.name, quota, row.model)

    def finish(self, *, everything: bool = False) -> None:
        """Let requests end whose time has come, or all."""
        under_way, self._under_way = self._under_way, []
        for end, reserved in under_way:
            if end > self._scene.world.now and not everything:
                self._under_way.append((end, reserved))
            elif self._scene.chance.random() < 0.2:
                self._scene.world.release(reserved)
                self._scene.note("request failed", reserved.key.name, reserved.quota)
            else:
                share = self._scene.chance.choice((0.1, 0.5, 1, 1.2))
                cost = max(1, int(reserved.quota * share))
                row = self._scene.gateway.settle(
                    reserved, cost, model=self._scene.some_model()
                )
                self._scene.booked(row)
                self._scene.note("request ended", reserved.key.name, cost)
        self._scene.busy = {reserved.key.id for _, reserved in self._under_way}

    def _reserve(self) -> bool:
        now = self._scene.world.now
        end = now + self._scene.chance.choice(
            (
                self._scene.chance.randint(30, 600),
                self._scene.chance.randint(600, 3_000),
            )
        )
        # Keys are charged when a request begins, and the log dates it when it ends:
        # readings cannot know to which of two days it belongs.
        if self._scene.ledger.day(now - _HOUR // 2) != self._scene.ledger.day(
            end + _HOUR // 2
        ):
            return False
        key, quota = (
            self._scene.some_key(),
            self._scene.chance.randint(1_000, 1_500_000),
        )
        try:
            reserved = self._scene.gateway.reserve(key.name, quota)
        except NothingPaysError:
            return False
        self._under_way.append((end, reserved))
        self._scene.busy.add(key.id)
        self._scene.note("reservation", key.name, quota, f"for {end - now} s")
        return True

    def _refund(self) -> bool:
        key = self._scene.some_key()
        rows = self._scene.ledger.rows(
            self._scene.world.now - 2 * _HOUR, self._scene.world.now, key.id
        )
        if not rows:
            return False
        quota = max(1, rows[-1].quota // self._scene.chance.choice((1, 2)))
        self._scene.gateway.refund(key.name, quota)
        self._scene.ledger.refunds.append(Refund(self._scene.world.now, quota, key.id))
        self._scene.note("refund", key.name, quota)
        return True

    def _pay_in(self) -> bool:
        dollars = self._scene.chance.choice((1, 5, 10, 20))
        quota = dollars * DOLLAR
        how = self._scene.chance.choice(("check-in", "code", "grant", "payment"))
        match how:
            case "check-in":
                quota = self._scene.chance.randint(1_000, 10_000)
                self._scene.gateway.check_in("wang", quota)
            case "code":
                self._scene.world.redeem("wang", quota)
            case "grant":
                self._scene.world.grant("wang", quota)
            case _:
                self._scene.world.top_up("wang", quota, dollars=dollars)
        self._scene.ledger.income.append(quota)
        self._scene.note("income", how, quota)
        return True

    def _take(self) -> bool:
        quota = self._scene.chance.randint(1, 3) * DOLLAR
        self._scene.world.grant("wang", -quota)
        self._scene.note("balance taken", quota)
        return True

    def _change_plans(self) -> bool:
        chance, now = self._scene.chance, self._scene.world.now
        active = [
            each for each in self._scene.world.subscriptions if each.is_active(now)
        ]
        what = chance.choice(("buy", "buy", "cancel", "prefer"))
        if what == "prefer":
            self._scene.user.billing_preference = chance.choice(_PREFERENCES)
            self._scene.note("plan", "prefers", self._scene.user.billing_preference)
            return True
        if what == "cancel" and active:
            chance.choice(active).is_cancelled = True
            self._scene.note("plan", "cancelled")
            return True
        self._number += 1
        offer = Offer(
            id=self._number,
            title=f"Plan {self._number}",
            total=chance.choice((0, 1, 2, 10)) * DOLLAR,
            days=chance.choice((1, 1, 30)),
            reset=chance.choice(tuple(Period)),
            reset_seconds=chance.choice((1, 2)) * _HOUR,
            allows_overflow=chance.random() < 0.7,
        )
        price = chance.choice((0, 0, DOLLAR))
        self._scene.world.offers.append(offer)
        self._scene.gateway.subscribe("wang", offer, from_wallet=price)
        self._scene.note("plan", offer, "from the balance:", price)
        return True

    def _edit_key(self) -> bool:
        scene, key = self._scene, self._scene.some_key()
        before = key.name
        scene.world.past.note(key, scene.world.now)
        match scene.chance.choice(("limit", "name", "unlimited")):
            case "limit":
                key.remain_quota = scene.chance.randint(1, 40) * DOLLAR
            case "name":
                base = before.partition("#")[0]
                key.name = f"{base}#{scene.chance.randint(1, 99)}"
            case _:
                key.unlimited = not key.unlimited
        limit = "unlimited" if key.unlimited else key.remain_quota
        scene.note("key edited", before, "to", key.name, limit)
        return True

    def _add_key(self) -> bool:
        self._number += 1
        name, is_unlimited = f"Guest {self._number}", self._scene.chance.random() < 0.3
        self._scene.world.add_key(
            self._scene.user, name, quota=20 * DOLLAR, unlimited=is_unlimited
        )
        self._scene.note("new key", name, "unlimited" if is_unlimited else 20 * DOLLAR)
        return True

    def _delete_key(self) -> bool:
        kept = self._scene.busy.union(self._scene.watched.values())
        idle = [key for key in self._scene.world.keys.values() if key.id not in kept]
        if len(idle) < 2:
            return False
        key = self._scene.chance.choice(idle)
        self._scene.world.delete_key(key.name)
        self._scene.note("key deleted", key.name)
        return True

    def _play(self) -> bool:
        if self._scene.is_poor:
            return False
        row = self._scene.gateway.play("wang", self._scene.chance.randint(1, 300_000))
        self._scene.booked(row)
        self._scene.note("play", row.quota)
        return True
