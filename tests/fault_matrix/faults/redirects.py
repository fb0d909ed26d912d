"""Redirects."""

from typing import Final

from tests.fault_matrix.replies import page
from tests.home import HOURLY, Site
from tests.simulator import Fault, Rebase

from .row import Level, Make, Row, answers, same


def _redirected(status: int, location: str) -> Make:
    return same(page(status, "Moved", ("Location", location)))


def _answered_elsewhere(site: Site, path: str) -> Fault:
    site.gateway.faults.add("/elsewhere/*", Rebase("/elsewhere"))
    return page(302, "Moved", ("Location", f"/elsewhere{path}"))


def _login_page(site: Site, _path: str) -> Fault:
    site.gateway.faults.add("/sign-in", page(200, "Sign in"))
    return page(302, "Moved", ("Location", "/sign-in?next=/"))


def _without_tls(site: Site, path: str) -> Fault:
    bare = site.url.replace("https:", "http:")
    return page(301, "Moved", ("Location", f"{bare}{path}"))


def _to_itself(_site: Site, path: str) -> Fault:
    return page(302, "Moved", ("Location", path))


def _with_a_name(site: Site, path: str) -> Fault:
    location = site.url.replace("//", "//root:root@") + path
    return page(302, "Moved", ("Location", location))


REDIRECTS: Final = (
    Row(
        # Without what was asked for, a site answers something else (6.6).
        name="to the same origin, without the query",
        level=Level.REDIRECT,
        make=_answered_elsewhere,
        recovery=(HOURLY,),
    ),
    Row(name="to a page to sign in", level=Level.REDIRECT, make=_login_page),
    Row(
        name="to another origin, for ever",
        level=Level.REDIRECT,
        make=_redirected(301, "https://elsewhere.test/api"),
    ),
    Row(
        name="to another origin, for now",
        level=Level.REDIRECT,
        make=_redirected(307, "https://elsewhere.test/api"),
    ),
    Row(
        name="from https to http",
        level=Level.REDIRECT,
        make=_without_tls,
        is_secure=True,
    ),
    Row(name="in a circle", level=Level.REDIRECT, make=_to_itself),
    Row(
        name="to nowhere", level=Level.REDIRECT, make=answers(302, "", ("X-Test", "x"))
    ),
    Row(
        name="to what is no address",
        level=Level.REDIRECT,
        make=_redirected(302, "http://[::1/"),
    ),
    Row(name="with a name and a password", level=Level.REDIRECT, make=_with_a_name),
)
