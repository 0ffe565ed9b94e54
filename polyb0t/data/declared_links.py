"""What a person declares about markets that belong together: nobody can estimate it from one result each.

A file of tables, one for each relation (TOML):

    [[link]]
    name = "fed-december"      # short and unique; limits and screens show it as link:fed-december
    relation = "theme"         # theme, implies, excludes or exhaustive
    members = ["event:12345", "slug:fed-cuts-in-december", "condition:0x5f..."]
    reason = "All of them depend on the same meeting."

`theme`: they win and lose together. `implies`: where the first comes true, so does the second.
`excludes`: at most one comes true. `exhaustive`: exactly one does. "Comes true" is a market's first
outcome. A theme may name whole events; the other relations are about markets. Whatever the relation,
what is linked counts as one theme for the limits.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final

from polyb0t.core.errors import ConfigurationError
from polyb0t.core.ids import ConditionId
from polyb0t.data.markets import Market

LINK_TAG: Final = "link:"
_KINDS: Final = ("condition", "slug", "event")
_KEYS: Final = frozenset(("name", "relation", "members", "reason"))
_NAME_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")


class Relation(StrEnum):
    """How the members of a link belong together."""

    THEME = "theme"
    IMPLIES = "implies"
    EXCLUDES = "excludes"
    EXHAUSTIVE = "exhaustive"


_EXCLUSIVE: Final = (Relation.EXCLUDES, Relation.EXHAUSTIVE)


@dataclass(frozen=True, slots=True)
class DeclaredLink:
    """One relation as it stands in the file; members as `kind:id`, in lower case."""

    name: str
    relation: Relation
    members: tuple[str, ...]
    reason: str

    @property
    def tag(self) -> str:
        return LINK_TAG + self.name


@dataclass(frozen=True, slots=True)
class Implication:
    """Where `first` comes true, `second` does: its chance is at least as great."""

    first: ConditionId
    second: ConditionId
    link: DeclaredLink


@dataclass(frozen=True, slots=True)
class ExclusiveSet:
    """At most one of `members` comes true; exactly one where it is `exhaustive`."""

    members: tuple[ConditionId, ...]
    exhaustive: bool
    link: DeclaredLink


@dataclass(frozen=True, slots=True)
class LinkedMarkets:
    """The links among the markets of one catalogue.

    `unknown` are members that it does not list, each with its link's name: such a member is left out, an
    implication without both sides too, and a set that lost one is not exhaustive any more.
    """

    implications: tuple[Implication, ...] = ()
    exclusive: tuple[ExclusiveSet, ...] = ()
    themes: Mapping[ConditionId, tuple[str, ...]] = field(default_factory=dict)  # tags, sorted
    unknown: tuple[str, ...] = ()

    def tagged(self, market: Market) -> Market:
        """The market with the tags of its links, each a theme of its own."""
        added = self.themes.get(market.condition_id, ())
        return replace(market, tags=(*market.tags, *added)) if added else market


NOTHING_LINKED: Final = LinkedMarkets()


@dataclass(frozen=True, slots=True)
class DeclaredLinks:
    """All links of a file, without contradictions."""

    links: tuple[DeclaredLink, ...] = ()

    def among(self, markets: Iterable[Market]) -> LinkedMarkets:
        """The same by condition id, as far as `markets` has them."""
        return _Resolving(markets).run(self.links) if self.links else NOTHING_LINKED


NO_LINKS: Final = DeclaredLinks()


class _Resolving:
    def __init__(self, markets: Iterable[Market]) -> None:
        self._found: dict[str, list[ConditionId]] = {}
        for market in markets:
            names = [f"condition:{market.condition_id.lower()}", f"slug:{market.slug.lower()}"]
            names += [f"event:{market.event_id.lower()}"] if market.event_id else []
            for name in names:
                self._found.setdefault(name, []).append(market.condition_id)

    def run(self, links: Sequence[DeclaredLink]) -> LinkedMarkets:
        implications: list[Implication] = []
        exclusive: list[ExclusiveSet] = []
        themes: dict[ConditionId, set[str]] = {}
        unknown: list[str] = []
        for link in links:
            missing = [member for member in link.members if member not in self._found]
            unknown += [f"{member} ({link.name})" for member in missing]
            here = [condition for member in link.members for condition in self._found.get(member, ())]
            for condition in here:
                themes.setdefault(condition, set()).add(link.tag)
            if link.relation is Relation.IMPLIES and not missing:
                implications += [Implication(a, b, link) for a, b in pairwise(here)]
            if link.relation in _EXCLUSIVE and len(here) > 1:
                whole = link.relation is Relation.EXHAUSTIVE and not missing
                exclusive.append(ExclusiveSet(tuple(here), whole, link))
        tags = {condition: tuple(sorted(found)) for condition, found in themes.items()}
        return LinkedMarkets(tuple(implications), tuple(exclusive), tags, tuple(unknown))


def parse_links(text: str) -> DeclaredLinks:
    """The links of a file.

    Raises:
        ConfigurationError: it is no TOML, a table is not as described above, or links contradict each
            other; names the link.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise links_file_refused(f"It is not TOML: {error}") from None
    tables = document.pop("link", [])
    if document or not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise links_file_refused("It may have [[link]] tables and nothing else")
    links = tuple(_link(table, number) for number, table in enumerate(tables, start=1))
    _refuse_twice([link.name for link in links])
    _refuse_contradictions(links)
    return DeclaredLinks(links)


def _link(table: Mapping[str, Any], number: int) -> DeclaredLink:
    where = f"Link {number}"
    if set(table) != _KEYS:
        wrong = ", ".join(sorted(set(table) ^ _KEYS))
        raise links_file_refused(
            f"{where} needs name, relation, members and reason, and nothing else: see {wrong}"
        )
    name, relation, members, reason = (table[key] for key in ("name", "relation", "members", "reason"))
    if not isinstance(name, str) or not name or not set(name) <= _NAME_LETTERS:
        raise links_file_refused(f"{where}: a name has small letters, digits, - _ and ., not {name!r}")
    if relation not in tuple(Relation):
        raise links_file_refused(f"{name}: a relation is one of {', '.join(Relation)}, not {relation!r}")
    if not isinstance(reason, str) or not reason.strip():
        raise links_file_refused(f"{name}: a reason is a sentence, for whoever reads this in a year")
    return DeclaredLink(name, Relation(relation), _members(name, relation, members), reason.strip())


def _members(name: str, relation: str, members: Any) -> tuple[str, ...]:
    if not isinstance(members, list) or not all(isinstance(member, str) for member in members):
        raise links_file_refused(f"{name}: members is a list of texts")
    found = tuple(member.strip().lower() for member in members)
    kinds = _KINDS if relation == Relation.THEME else _KINDS[:2]
    for member in found:
        kind, _, rest = member.partition(":")
        if kind not in kinds or not rest:
            raise links_file_refused(
                f"{name}: a member of {relation} is {' or '.join(kinds)}:ID, not {member!r}"
            )
    least = 1 if any(member.startswith("event:") for member in found) else 2
    if len(found) < least:
        raise links_file_refused(f"{name}: it takes two to be linked")
    if relation == Relation.IMPLIES and len(found) != 2:
        raise links_file_refused(f"{name}: implies has two members, the first implies the second")
    if len(set(found)) != len(found):
        raise links_file_refused(f"{name}: a member is named twice")
    return found


def _refuse_twice(names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise links_file_refused(f"Two links have the name {twice[0]}")


def _refuse_contradictions(links: Sequence[DeclaredLink]) -> None:
    """What implies each other is one market by two names; what implies cannot exclude."""
    follows: dict[str, set[str]] = {}
    for link in links:
        if link.relation is Relation.IMPLIES:
            follows.setdefault(link.members[0], set()).add(link.members[1])
    reach = {start: _reached(start, follows) for start in follows}
    circle = sorted(start for start, ends in reach.items() if start in ends)
    if circle:
        raise links_file_refused(f"{circle[0]} implies itself by way of other links; declare a theme instead")
    for link in links:
        if link.relation in _EXCLUSIVE:
            for start in link.members:
                both = sorted(reach.get(start, set()) & set(link.members))
                if both:
                    raise links_file_refused(
                        f"{link.name}: {start} implies {both[0]} and cannot exclude it as well"
                    )


def _reached(start: str, follows: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        new = follows.get(waiting.pop(), set()) - seen
        seen |= new
        waiting += new
    return seen


def links_file_refused(why: str) -> ConfigurationError:
    """The refusal of a file of links; `why` without its full stop."""
    return ConfigurationError(
        "Not started: the file of links that POLYBOT_LINKS_FILE names cannot be used.",
        why=f"{why}.",
        do="Correct it, or leave the setting out; `docs/models.md` has an example.",
        code="links_file",
    )
