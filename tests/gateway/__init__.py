"""Tests of the gateway client, none of which needs Home Assistant."""
