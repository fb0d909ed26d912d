"""Holds every test to it that no secret gets out (issue 4, section 3).

- `register`: which secrets the running test uses, noted by themselves;
- `search`: finds them in a text, whole, in part, URL-encoded, in base64, lower-cased;
- `log`, `places`: everything that a test and its Home Assistant produce;
- `plugin`: looks there after each test, and fails it for the first hit.
"""
