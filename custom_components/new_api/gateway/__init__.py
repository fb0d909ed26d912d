"""The client of a gateway of the New API / One API family, over its HTTP API.

It knows nothing of Home Assistant, sends nothing but GET, and never one of the GETs
that change something (gateway_api.md 2.3).
"""
