"""Ten thousand polls of five entries, and what is left of them: scripts/soak."""
