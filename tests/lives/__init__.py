"""Made-up lives of a household, in which what is shown is held against the books."""
