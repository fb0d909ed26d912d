"""What made-up replies are drawn from, and how they are written."""

import json
from typing import Any, Final

from hypothesis import strategies as st

CLOCK: Final = 1_795_421_638
"""When all visits begin, in Unix seconds."""

QUOTA: Final = st.integers(-(10**6), 10**12) | st.integers(-(2**40), 2**53)
ID: Final = st.integers(1, 2**31)
NAME: Final = st.text(max_size=12) | st.sampled_from(
    ("", "default", "vip", "我的", " x ")
)
MODELS: Final = st.lists(
    st.sampled_from(("gpt-4o", "o3", "深度求索", "claude", "x/y:z", "a b"))
    | st.text(min_size=1, max_size=8),
    max_size=6,
)


class Raw(str):
    """Text that stands in the JSON as it is."""

    __slots__ = ()


def written(value: Any) -> str:
    """Write JSON, right or wrong."""
    if isinstance(value, Raw):
        return value
    if isinstance(value, dict):
        inner = (f"{json.dumps(name)}:{written(each)}" for name, each in value.items())
        return "{" + ",".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return json.dumps(value)
