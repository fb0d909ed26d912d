"""Replies with status 200 whose body is not what a gateway sends."""

from typing import Final

from tests.fault_matrix.replies import HTML, JSON, bomb, large, nested, page, twice
from tests.home import Site
from tests.simulator import Answer, Fault, Reword

from .row import Level, Row, answers, same


def _twice(_site: Site, path: str) -> Fault | None:
    # Without an owner in the reply, nobody can tell that its numbers are wrong.
    is_owned = path not in ("/api/log/self/stat", "/api/data/flow/self")
    return Reword(twice) if is_owned else None


BODIES: Final = (
    Row(name="200 with HTML", level=Level.BODY, make=same(page(200, "Welcome"))),
    Row(
        name="HTML called JSON",
        level=Level.BODY,
        make=answers(200, "<html></html>", JSON),
    ),
    Row(name="200 with nothing", level=Level.BODY, make=answers(200, "", JSON)),
    Row(name="200 with a space", level=Level.BODY, make=answers(200, " \n", JSON)),
    Row(
        name="cut JSON",
        level=Level.BODY,
        make=same(Reword(lambda body: body[:-3])),
    ),
    Row(
        name="more after the JSON",
        level=Level.BODY,
        make=same(Reword(lambda body: body + b"<!-- 12 ms -->")),
    ),
    Row(
        name="invalid UTF-8",
        level=Level.BODY,
        make=same(Reword(lambda body: body[:-1] + b',"x":"\xff\xfe"}')),
    ),
    Row(
        name="UTF-16",
        level=Level.BODY,
        make=same(Reword(lambda body: body.decode().encode("utf-16"))),
    ),
    Row(
        name="wrong Content-Encoding",
        level=Level.BODY,
        make=answers(200, '{"success":true}', JSON, ("Content-Encoding", "gzip")),
    ),
    Row(
        name="unknown Content-Encoding",
        level=Level.BODY,
        make=answers(200, "\x01\x02\x03", JSON, ("Content-Encoding", "br")),
    ),
    Row(
        name="half a gzip",
        level=Level.BODY,
        make=lambda _site, _path: Answer(
            200, bomb()[:100], (JSON, ("Content-Encoding", "gzip"))
        ),
    ),
    Row(
        name="a gzip bomb",
        level=Level.BODY,
        make=lambda _site, _path: Answer(
            200, bomb(), (JSON, ("Content-Encoding", "gzip"))
        ),
    ),
    Row(
        name="20 MB",
        level=Level.BODY,
        make=lambda _site, _path: Answer(
            200, large(), (JSON, ("Content-Encoding", "identity"))
        ),
    ),
    Row(name="each number twice", level=Level.BODY, make=_twice),
    Row(
        name="nested 10 000 deep",
        level=Level.BODY,
        make=same(Reword(lambda body: body[:-1] + b',"x":' + nested(10_000) + b"}")),
    ),
    Row(
        name="nested 1 000 000 deep",
        level=Level.BODY,
        make=same(Reword(lambda body: body[:-1] + b',"x":' + nested(1_000_000) + b"}")),
    ),
    Row(
        name="JSON called HTML",
        level=Level.BODY,
        make=answers(200, '{"success":true,"data":{}}', HTML),
    ),
)
