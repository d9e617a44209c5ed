"""Addresses of stores and servers as they may be printed: without their secrets."""

import re

_HIDDEN = "***"
_URL = re.compile(r"([\w+.-]+://)([^?]*)(\?.*)?", re.DOTALL)
# A port that is no number may be a password whose `@host` was forgotten. IPv6 addresses are in brackets.
_BAD_PORT = re.compile(r"^([^/:\[]*):(?!\d*(?:/|$)).*", re.DOTALL)


def hide_password(url: str) -> str:
    """Return an address without its password and without the query, which may hold one too.

    Never raises. Where a malformed address leaves open what is secret, more is hidden.
    """
    parts = _URL.fullmatch(url)
    if not parts:
        return _HIDDEN if re.search("[@?=]", url) else url
    scheme, address, query = parts.groups("")
    if "@" in query:
        return scheme + _HIDDEN
    user, at, host = address.rpartition("@")
    user = re.sub(":.*", f":{_HIDDEN}", user, flags=re.DOTALL)
    host = _BAD_PORT.sub(rf"\1:{_HIDDEN}", host)
    return f"{scheme}{user}{at}{host}{f'?{_HIDDEN}' if query else ''}"
