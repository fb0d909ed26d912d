"""Every way in which a gateway fails, at every endpoint that is asked.

One test for each fault. It sets up a home with one entry for each column, lets each
entry's own gateway fail at that column's endpoint, and compares all that Home Assistant
shows with what is true in the simulated world. `docs/fault-matrix.md` is what was seen,
written by `scripts/fault-matrix`.
"""
