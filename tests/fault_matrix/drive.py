"""From a fault to its line in the matrix."""

from .columns import COLUMNS, SITE_COLUMNS
from .faults import Row
from .page import committed, keep, rows_of, says, seen
from .street import Street


async def drive(street: Street, row: Row) -> None:
    """Let sites fail while they are asked and at a start, and judge what is shown."""
    columns = COLUMNS if row.outage is None else SITE_COLUMNS
    await street.build(columns, row)
    async with street.failing(row):
        await street.suffer(row)
    await street.recover(*row.recovery)
    await street.stop()
    async with street.failing(row):
        await street.start(row)
    await street.recover(*row.recovery, is_end=True)

    line = seen(row, street.words())
    print(line)  # noqa: T201
    is_written = keep(row, line)
    problems = street.problems()
    assert not problems, "\n".join(problems)
    assert is_written or says(line) in map(says, rows_of(committed())), (
        f"scripts/fault-matrix is due: {line}"
    )
