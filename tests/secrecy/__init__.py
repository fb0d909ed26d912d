"""Holds every test to it that no secret gets out (issue 4, section 3).

- `register`: which secrets the running test uses, noted by themselves;
- `search`: finds them in a text, whole, in part, URL-encoded, in base64, lower-cased;
- `log`, `errors`, `places`: everything that a test and its Home Assistant tell;
- `held`: everything that the integration keeps in memory, and says of itself;
- `plugin`: looks there after each test, and fails it for the first hit.
"""
