"""Answers to a system access token about the account, its models and its keys."""

from . import texts
from .call import Call
from .replies import Reply, failed, succeeded


def myself(call: Call) -> Reply:
    """Answer `/api/user/self`."""
    return succeeded(call.dialect.user_row(call.as_cached(call.user)))


def another_user(call: Call) -> Reply:
    """Answer `/api/user/:id`, which shadows every page that does not exist."""
    if not call.parameter.isdigit():
        return _not_a_number(call)
    user = call.world.users.get(int(call.parameter))
    if user is None:
        return call.failed(texts.NOT_FOUND)
    return succeeded(call.dialect.user_row(user))


def models(call: Call) -> Reply:
    """Answer `/api/user/models` or `/api/user/available_models`."""
    return succeeded([model.name for model in call.models()])


def two_factor(_call: Call) -> Reply:
    """Answer `/api/user/2fa/status`."""
    return succeeded({"enabled": False, "locked": False})


def new_access_token(call: Call) -> Reply:
    """Answer `/api/user/token`, which is a GET and yet replaces the access token."""
    return succeeded(call.world.rotate_access_token(call.user.name))


def affiliate_code(call: Call) -> Reply:
    """Answer `/api/user/aff`, which is a GET and yet makes a code."""
    call.user.aff_code = call.user.aff_code or f"A{call.user.id}xy"
    return succeeded(call.user.aff_code)


# Keys


def tokens(call: Call) -> Reply:
    """Answer `/api/token/`."""
    keys = call.world.keys_of(call.user)
    page, size, shown = call.dialect.key_paging.cut(keys, call.query)
    rows = [call.dialect.key_row(call.as_cached(key)) for key in shown]
    return succeeded(call.dialect.key_paging.wrap(page, size, len(keys), rows))


def token(call: Call) -> Reply:
    """Answer `/api/token/:id`."""
    if not call.parameter.isdigit():
        return _not_a_number(call)
    key = call.world.keys.get(int(call.parameter))
    if key is None or key.user_id != call.user.id:
        return call.failed(texts.NOT_FOUND)
    return succeeded(call.dialect.key_row(call.as_cached(key)))


def _not_a_number(call: Call) -> Reply:
    return failed(f'strconv.Atoi: parsing "{call.parameter}": invalid syntax')
