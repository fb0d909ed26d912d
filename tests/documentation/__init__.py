"""What is written for people: it agrees with the integration, in every language."""
