"""Whether a token may be sent to an address: over HTTPS, or to this very machine; else only if the user says so."""

import re

#: A registry's address: no account in it, nothing an HTTP library could read in two ways.
ADDRESS = r"https?://(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?"
_WHOLE = re.compile(ADDRESS + r"\Z")
_HTTPS = "https://"
_HERE = r"(?:localhost|127(?:\.[0-9]{1,3}){3}|\[?::1\]?)"
_LOOPBACK = re.compile(rf"(?:http://)?{_HERE}(?::[0-9]+)?(?:/.*)?\Z", re.IGNORECASE)


def is_loopback(host_or_address: str) -> bool:
    """Whether a host, or a plain HTTP address, is this machine itself."""
    return _LOOPBACK.match(host_or_address) is not None


def objection(address: str, *, plain_http: bool) -> str:
    """Return why no token may be sent there, "" if it may.

    Args:
        address: of a registry.
        plain_http: whether the user said that plain HTTP will do.
    """
    if _WHOLE.match(address) is None:
        return f"{address!r} is no address of a registry"
    if address.startswith(_HTTPS) or plain_http or is_loopback(address):
        return ""
    return f"{address} is not encrypted: whoever listens on the way learns the token"
