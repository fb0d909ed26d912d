"""Answers to a system access token about plans, rewards and payments."""

from typing import Final

from . import texts
from .call import Call
from .plans import Offer, Subscription
from .records import DAY, CheckIn
from .replies import Reply, json_reply, succeeded
from .shapes import Row

_MINUTE: Final = 60


def subscriptions(call: Call) -> Reply:
    """Answer `/api/subscription/self`."""
    # Whoever does not use a plan gets it reset by a task, once a minute.
    call.world.begin_plans_anew(call.zone, call.now - call.now % _MINUTE)
    mine = sorted(
        (each for each in call.world.subscriptions if each.user_id == call.user.id),
        key=lambda each: -each.end_time,
    )
    rows = [(plan, _subscription_row(call, plan)) for plan in mine]
    return succeeded(
        {
            "all_subscriptions": [row for _, row in rows],
            "billing_preference": call.user.billing_preference,
            "subscriptions": [row for plan, row in rows if plan.is_active(call.now)],
        }
    )


def plans(call: Call) -> Reply:
    """Answer `/api/subscription/plans`."""
    return succeeded(
        [{"plan": _offer_row(offer)} for offer in call.world.offers if offer.is_enabled]
    )


def check_in(call: Call) -> Reply:
    """Answer `/api/user/checkin`."""
    mine = [each for each in call.world.check_ins if each.user_id == call.user.id]
    today = f"{call.local_time(call.now):%Y-%m-%d}"
    if call.options.check_in_dialect == "wong":
        return _wong_check_in(call, mine, today)
    if not call.options.check_in:
        return call.failed(texts.CHECK_IN_DISABLED)
    month = call.query.get("month") or today[:7]
    shown = [each for each in mine if each.date.startswith(month)]
    least, most = call.options.check_in_quota
    said = {
        "enabled": True,
        "max_quota": most,
        "min_quota": least,
        "stats": {
            "checked_in_today": any(each.date == today for each in mine),
            "checkin_count": len(shown),
            "records": [
                {"checkin_date": each.date, "quota_awarded": each.quota}
                for each in reversed(shown)
            ],
            "total_checkins": len(mine),
            "total_quota": sum(each.quota for each in mine),
        },
    }
    return json_reply({"data": said, "success": True})


def _wong_check_in(call: Call, mine: list[CheckIn], today: str) -> Reply:
    """Answer as the "WONG" sites do on the same path; known from a client only."""
    done = next((each for each in mine if each.date == today), None)
    said = {
        "checked_in": done is not None,
        "checked_at": done.at if done else 0,
        "enabled": call.options.check_in,
        "quota": done.quota if done else 0,
    }
    return succeeded(said)


def veloera_check_in(call: Call) -> Reply:
    """Answer Veloera's `/api/user/check_in_status`."""
    today = f"{call.local_time(call.now):%Y-%m-%d}"
    done = any(
        each.user_id == call.user.id and each.date == today
        for each in call.world.check_ins
    )
    return succeeded({"can_check_in": call.options.check_in and not done})


def top_ups(call: Call) -> Reply:
    """Answer `/api/user/topup/self`."""
    paging = call.dialect.log_paging
    days = call.dialect.top_up_days
    since = 0 if days is None else call.now - days * DAY
    mine = [
        each
        for each in call.world.top_ups
        if each.user_id == call.user.id and each.at >= since
    ]
    page, size, shown = paging.cut(mine[::-1], call.query)
    rows = [
        {
            "id": each.id,
            "user_id": each.user_id,
            "amount": each.amount,
            "money": each.money,
            "trade_no": each.trade_no,
            "payment_method": "alipay",
            "payment_provider": "epay",
            "create_time": each.at,
            "complete_time": each.completed_at,
            "status": each.status.value,
        }
        for each in shown
    ]
    return succeeded(paging.wrap(page, size, len(mine), rows))


def top_up_info(_call: Call) -> Reply:
    """Answer `/api/user/topup/info`; nothing can be paid here."""
    providers = ("creem", "online", "stripe", "waffo", "waffo_pancake")
    return succeeded(
        {
            "amount_options": [10, 20, 50, 100, 200, 500],
            "creem_products": "[]",
            "discount": {},
            "enable_redemption": False,
            **{f"enable_{provider}_topup": False for provider in providers},
            "min_topup": 1,
            "pay_methods": [],
            "payment_compliance_confirmed": False,
            "payment_compliance_terms_version": "v1",
            "stripe_min_topup": 1,
            "topup_link": "",
            "waffo_min_topup": 1,
            "waffo_pancake_min_topup": 1,
            "waffo_pay_methods": None,
        }
    )


def _subscription_row(call: Call, plan: Subscription) -> Row:
    newer = {"downgrade_group": "", "allow_wallet_overflow": plan.allows_overflow}
    return {
        "subscription": {
            "id": plan.id,
            "user_id": plan.user_id,
            "plan_id": plan.plan_id,
            "amount_total": plan.amount_total,
            "amount_used": plan.amount_used,
            "start_time": plan.start_time,
            "end_time": plan.end_time,
            "status": plan.status(call.now),
            "source": plan.source,
            "last_reset_time": plan.last_reset_time,
            "next_reset_time": plan.next_reset_time,
            "upgrade_group": "",
            "prev_user_group": "",
            **(newer if call.dialect.accounting.plans_can_be_strict else {}),
            "created_at": plan.created_at,
            "updated_at": plan.created_at,
        }
    }


def _offer_row(offer: Offer) -> Row:
    return {
        "id": offer.id,
        "title": offer.title,
        "subtitle": "",
        "price_amount": offer.price,
        "currency": "USD",
        "duration_unit": "day",
        "duration_value": offer.days,
        "custom_seconds": 0,
        "enabled": offer.is_enabled,
        "sort_order": 0,
        "total_amount": offer.total,
        "quota_reset_period": offer.reset.value,
        "quota_reset_custom_seconds": offer.reset_seconds,
    }
