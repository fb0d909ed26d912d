"""Tests of New API for Home Assistant."""
