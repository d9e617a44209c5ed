"""Addresses of stores and servers as they may be printed: without their secrets."""

import os
import re
from urllib.parse import unquote

# The environment variables that hold addresses.
_ADDRESSES = ("MLFLOW_TRACKING_URI", "TANDEM_SWEEP_STORAGE")
_HIDDEN = "***"
_URL = re.compile(r"([\w+.-]+://)([^?]*)(\?.*)?", re.DOTALL)
# A port that is no number may be a password whose `@host` was forgotten. IPv6 addresses are in brackets.
_BAD_PORT = re.compile(r"^([^/:\[]*):(?!\d*(?:/|$)).*", re.DOTALL)

_IN_TEXT = re.compile(r"[\w+.-]+://[^\s'\"]*[^\s'\".,:;)]")


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


def one_line(error: BaseException, limit: int = 300) -> str:
    """Return an error's message as one line of up to `limit` characters, without secrets.

    Libraries quote addresses, and parts of malformed ones.
    """
    text = _IN_TEXT.sub(lambda match: hide_password(match[0]), " ".join(str(error).split()))
    if any(secret in text for name in _ADDRESSES for secret in _secrets(os.environ.get(name, ""))):
        return "its message is not shown, since it holds a part of a password"
    return text[:limit]


def _secrets(url: str) -> set[str]:
    """Return the pieces of an address that may not be shown."""
    shown = hide_password(url)
    pieces = {form for piece in re.split("[:/@?&=]+", url) for form in (piece, unquote(piece))}
    return {piece for piece in pieces if piece not in shown}
