"""Whose certificates are believed: read once for all clients of a process, which takes a while."""

import ssl
from functools import cache

import httpx


@cache
def trust() -> ssl.SSLContext:
    """The usual authorities, whatever the environment says. Reading them takes 20 ms and more, and a
    process opens seven clients before its first order."""
    return httpx.create_ssl_context(trust_env=False)
