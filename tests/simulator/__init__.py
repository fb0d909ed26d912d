"""A simulated gateway: New API, One API and their kin, held true by recordings.

    gateway = Gateway.demo("new_api_rc21")
    async with gateway.serve() as url:
        ...
        gateway.spend("Home Assistant", 7_500)
        gateway.faults.add("/api/user/self", Answer(502), times=1)
        assert gateway.requests[-1].status == 502

Time is `time.time`, so a frozen clock freezes the gateway; nothing here waits.
"""

from .dialects import DIALECTS, Dialect
from .faults import (
    MISSING,
    Answer,
    End,
    Fault,
    Faults,
    Hang,
    Misdate,
    Raw,
    Rebase,
    Reset,
    Reword,
    Rewrite,
    Trickle,
    Truncate,
)
from .life import Life
from .limits import UNLIMITED, Bucket, Limiter, Rate, Rates
from .options import Options
from .plans import Offer, Period, Subscription
from .records import (
    NEVER,
    Accounting,
    Group,
    Heartbeat,
    Key,
    LogRow,
    LogType,
    Model,
    Monitor,
    Payment,
    Role,
    Status,
    TopUp,
    User,
)
from .replies import Reply
from .server import Gateway, Served
from .world import NothingPaysError, Request, Reservation, World

__all__ = [
    "DIALECTS",
    "MISSING",
    "NEVER",
    "UNLIMITED",
    "Accounting",
    "Answer",
    "Bucket",
    "Dialect",
    "End",
    "Fault",
    "Faults",
    "Gateway",
    "Group",
    "Hang",
    "Heartbeat",
    "Key",
    "Life",
    "Limiter",
    "LogRow",
    "LogType",
    "Misdate",
    "Model",
    "Monitor",
    "NothingPaysError",
    "Offer",
    "Options",
    "Payment",
    "Period",
    "Rate",
    "Rates",
    "Raw",
    "Rebase",
    "Reply",
    "Request",
    "Reservation",
    "Reset",
    "Reword",
    "Rewrite",
    "Role",
    "Served",
    "Status",
    "Subscription",
    "TopUp",
    "Trickle",
    "Truncate",
    "User",
    "World",
]
