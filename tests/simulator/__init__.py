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
from .records import (
    NEVER,
    Key,
    LogRow,
    LogType,
    Model,
    Role,
    Status,
    Subscription,
    User,
)
from .replies import Reply
from .server import Gateway, Served
from .world import World

__all__ = [
    "DIALECTS",
    "NEVER",
    "UNLIMITED",
    "Answer",
    "Bucket",
    "Dialect",
    "End",
    "Fault",
    "Faults",
    "Gateway",
    "Hang",
    "Key",
    "Life",
    "Limiter",
    "LogRow",
    "LogType",
    "Misdate",
    "Model",
    "Options",
    "Rate",
    "Rates",
    "Raw",
    "Rebase",
    "Reply",
    "Reset",
    "Reword",
    "Rewrite",
    "Role",
    "Served",
    "Status",
    "Subscription",
    "Trickle",
    "Truncate",
    "User",
    "World",
]
