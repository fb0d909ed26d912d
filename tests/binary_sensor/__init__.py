"""What warns of something, and what it takes until it does not any more."""
