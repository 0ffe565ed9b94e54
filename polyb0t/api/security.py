"""Whom the API answers at all, judged by what a request brings and before any route sees it.

A page on another site must decide nothing here, and read nothing: not even under a borrowed name. Three
checks, all on what a browser sends and a page cannot forge: `Host` is a name of ours (so a foreign name
that resolves to our address is refused), `Origin` is this very address, and `Sec-Fetch-Site` is not another
site. curl sends the first only. Who may then do what is the business of `security_gate.py`.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers

from polyb0t.config.settings import Settings

LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
BODY_BYTES: Final = 10_000
_OWN_SITES: Final = frozenset({"same-origin", "none"})

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Refusal(NamedTuple):
    """An answer instead of one: HTTP status, stable code, sentence."""

    status: int
    code: str
    title: str


@dataclass(frozen=True, slots=True)
class Reach:
    """From where, under which names and how this API is reached."""

    names: frozenset[str] = LOOPBACK_NAMES
    secure: bool = False  # https, of our own or of the proxy before us
    allow: tuple[Network, ...] = ()  # from where; empty: from anywhere
    proxies: tuple[Network, ...] = ()  # who hands requests on; empty: nobody stands between
    local: bool = True  # bound where only this computer gets to, and no proxy hands on
    requests_per_minute: int = 6_000


THIS_COMPUTER: Final = Reach()


def reach_of(settings: Settings) -> Reach:
    """The reach that the settings describe; `serving.py` has checked that they make sense."""
    host, proxied = settings.api_host, settings.api_behind_proxy
    own = frozenset() if host in ("0.0.0.0", "::") else frozenset({host.lower()})  # noqa: S104 - compared only
    return Reach(
        names=LOOPBACK_NAMES | own | frozenset(settings.api_names),
        secure=proxied or settings.api_tls_cert is not None,
        allow=networks(settings.api_allow),
        proxies=networks(settings.api_proxies) if proxied else (),
        local=is_loopback(host) and not proxied,
        requests_per_minute=settings.api_requests_per_minute,
    )


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


def is_loopback(host: str) -> bool:
    """Whether only this computer reaches that address; a name other than localhost leads who knows where."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def client_of(peer: str, headers: Headers, reach: Reach) -> Address | Refusal:
    """Who sent the request: the peer, or behind a proxy the last address that a proxy of ours wrote down."""
    address = _address(peer)
    if address is None:
        return Refusal(403, "foreign_address", "Not answered: it is not known where the request comes from.")
    if reach.proxies:
        if not _within(address, reach.proxies):
            return Refusal(403, "not_through_proxy", "Not answered: the request went around the proxy.")
        if headers.getlist("x-forwarded-proto") != ["https"]:
            return Refusal(
                403, "not_https", "Not answered: the proxy does not say that it was asked by https."
            )
        named = _forwarded(headers, reach.proxies)
        if named is None:
            return Refusal(403, "foreign_address", "Not answered: the proxy does not say whom it asks for.")
        address = named
    if reach.allow and not _within(address, reach.allow):
        return Refusal(403, "address_not_allowed", "Not answered: this address is not on the list.")
    return address


def refusal(method: str, headers: Headers, reach: Reach = THIS_COMPUTER) -> Refusal | None:
    """Why it is refused by its headers, or None when the request may go on."""
    hosts = headers.getlist("host")
    if len(hosts) != 1 or _name(hosts[0]) not in reach.names:
        return Refusal(403, "foreign_host", "Not answered: the request names another host than this one.")
    scheme = "https" if reach.secure else "http"
    for origin in headers.getlist("origin"):
        told = _split(origin)
        if told is None or told.scheme != scheme or told.netloc.lower() != hosts[0].lower():
            return Refusal(
                403, "foreign_origin", "Not answered: the request comes from a page of another origin."
            )
    site = headers.get("sec-fetch-site")
    if site is not None and site not in _OWN_SITES:
        return Refusal(403, "foreign_site", "Not answered: the request comes from another site.")
    if method not in SAFE_METHODS:
        return _body_refusal(headers)
    return None


def _body_refusal(headers: Headers) -> Refusal | None:
    """What changes something takes JSON of a told length or nothing: a form of another page can send
    neither, and what has no length has no bound."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers:
        return Refusal(411, "length_required", "Not done: the request does not say how long its body is.")
    if not (length.isascii() and length.isdigit()) or int(length[:20]) > BODY_BYTES:
        return Refusal(413, "body_too_large", "Not done: the request's body is too large.")
    if kind and kind != "application/json":
        return Refusal(403, "not_json", "Not done: a body has to be JSON (Content-Type: application/json).")
    return None


def _forwarded(headers: Headers, proxies: Sequence[Network]) -> Address | None:
    """The last address that is no proxy of ours: what stands before it, the client may have written."""
    told = [part.strip() for line in headers.getlist("x-forwarded-for") for part in line.split(",")]
    for text in reversed(told):
        address = _address(text)
        if address is None or not _within(address, proxies):
            return address
    return None


def _address(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    return mapped if isinstance(mapped, ipaddress.IPv4Address) else found


def _within(address: Address, among: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in among)


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _name(host: str) -> str:
    """The host without its port, lower case; empty when it cannot be read."""
    told = _split(f"//{host}")
    if told is None or "@" in host:
        return ""
    return told.hostname or ""
