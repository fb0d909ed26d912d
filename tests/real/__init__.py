"""Tests with a real Home Assistant: a process of its own, driven over its API."""
