"""Asks the whole client with replies that no server should give, and checks it.

- `virtual`: a loop in which waiting takes no time;
- `site`: a site in memory, behind aiohttp's real parser;
- `recorded`, `mutations`: replies as recorded, and what can go wrong with them;
- `grammar`, `details`, `drawn`: replies made up from what is documented of them;
- `visit`: a client that asks such a site one question after the other;
- `oracle`: what the replies justify, read without the client;
- `campaign`: many visits, and the smallest one that fails.

`scripts/fuzz` runs it for as long as wanted, `test_fuzz` for some seconds.
"""
