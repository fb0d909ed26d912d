"""Looks for what must not be told in an error."""

from collections.abc import Iterator
import traceback
from typing import Final

KEY: Final = "sk-KeyThatNobodyMaySee0123456789"
TOKEN: Final = "TokenThatNobodyMaySee0123456789="
SAID: Final = "Said by the server to one caller"
"""A message of a server: many quote keys, addresses and names."""


def assert_tells_nothing(error: BaseException, *more: str) -> None:
    """Check that neither an error nor what is shown with it quotes a secret."""
    shown_text = [*traceback.format_exception(error), repr(vars(error)), *_texts(error)]
    for shown in shown_text:
        for secret in (KEY, KEY.removeprefix("sk-"), TOKEN, SAID, *more):
            assert secret not in shown


def _texts(error: BaseException) -> Iterator[str]:
    yield from (str(error), repr(error), repr(error.args))
    if error.__cause__ is not None:
        yield from _texts(error.__cause__)
    elif error.__context__ is not None and not error.__suppress_context__:
        yield from _texts(error.__context__)
