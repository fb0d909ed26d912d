"""The New API integration."""
