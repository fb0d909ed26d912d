"""Long-term statistics: equal to the truth, corrected, and never written in vain."""
