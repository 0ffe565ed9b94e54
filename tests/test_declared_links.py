"""Declared links: what a person writes down about markets that belong together, and what is refused."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from polyb0t.config.settings import load_settings
from polyb0t.core.errors import ConfigurationError
from polyb0t.core.ids import AssetId, ConditionId, EventId
from polyb0t.core.units import Pusd
from polyb0t.data.declared_links import Relation, parse_links
from polyb0t.data.markets import Catalogue, TradingTerms
from polyb0t.data.order_book import OrderBook
from polyb0t.data.universe import UniverseRules
from polyb0t.models.risk import Exposure
from polyb0t.models.themes import themes
from polyb0t.runtime.choices import declared_links
from polyb0t.runtime.watching import MarketWatch, WatchSettings
from tests.support.clock import FakeClock
from tests.support.decisions import NOW, a_market, d

TRAM, FERRY, BUS = (a_market(name) for name in ("tram", "ferry", "bus"))
ALL = (TRAM, FERRY, BUS)


def a_link(name: str = "strike", relation: str = "theme", *members: str, reason: str = "One union.") -> str:
    named = ", ".join(f'"{member}"' for member in members or ("slug:tram", "slug:ferry"))
    return f'[[link]]\nname = "{name}"\nrelation = "{relation}"\nmembers = [{named}]\nreason = "{reason}"\n'


class TestRead:
    def test_each_part_of_a_link(self) -> None:
        (link,) = parse_links(a_link()).links
        assert (link.name, link.relation, link.reason) == ("strike", Relation.THEME, "One union.")
        assert link.members == ("slug:tram", "slug:ferry")

    def test_an_empty_file_links_nothing(self) -> None:
        assert parse_links("# nothing yet\n").among(ALL).themes == {}

    def test_members_by_condition_by_slug_and_by_event(self) -> None:
        linked = parse_links(a_link("s", "theme", "condition:0xTRAM", "slug:Ferry", "event:event-bus")).among(
            ALL
        )
        assert set(linked.themes) == {market.condition_id for market in ALL}
        assert linked.unknown == ()

    def test_one_event_is_enough_for_a_theme(self) -> None:
        lines = [a_market(name, event_id=EventId("7")) for name in ("north", "south")]
        assert len(parse_links(a_link("lines", "theme", "event:7")).among(lines).themes) == 2

    def test_an_implication_and_sets_of_which_one_comes_true(self) -> None:
        text = a_link("a", "implies", "slug:tram", "slug:bus")
        text += a_link("b", "excludes", "slug:tram", "slug:ferry")
        text += a_link("c", "exhaustive", "slug:ferry", "slug:bus")
        linked = parse_links(text).among(ALL)
        (implication,) = linked.implications
        assert (implication.first, implication.second) == (TRAM.condition_id, BUS.condition_id)
        assert [(s.link.name, s.exhaustive) for s in linked.exclusive] == [("b", False), ("c", True)]


class TestUnknownMembers:
    def test_each_is_told_with_its_link(self) -> None:
        linked = parse_links(a_link("s", "theme", "slug:tram", "slug:airship")).among(ALL)
        assert linked.unknown == ("slug:airship (s)",)
        assert set(linked.themes) == {ConditionId("0xtram")}

    def test_a_set_that_lost_a_member_is_not_exhaustive(self) -> None:
        text = a_link("s", "exhaustive", "slug:tram", "slug:ferry", "slug:airship")
        (remaining,) = parse_links(text).among(ALL).exclusive
        assert not remaining.exhaustive

    def test_an_implication_needs_both_sides(self) -> None:
        assert parse_links(a_link("s", "implies", "slug:tram", "slug:airship")).among(ALL).implications == ()


class TestOneTheme:
    @pytest.mark.parametrize("relation", list(Relation))
    def test_whatever_the_relation_the_limits_count_them_together(self, relation: str) -> None:
        linked = parse_links(a_link("s", relation)).among(ALL)
        tram, ferry = linked.tagged(TRAM), linked.tagged(FERRY)
        assert themes(tram) == ("link:s",)
        assert Exposure().plus(tram, Pusd(d(100))).theme(ferry) == 100
        assert Exposure().plus(tram, Pusd(d(100))).theme(BUS) == 0


class Venue:
    """A catalogue of three markets, and nothing else."""

    def catalogue(self) -> Catalogue:
        return Catalogue(ALL, (), NOW)

    def terms(self, _conditions: Sequence[ConditionId]) -> Mapping[ConditionId, TradingTerms]:
        return {}

    def books(self, _assets: Sequence[AssetId]) -> Mapping[AssetId, OrderBook]:
        return {}

    def read(self, assets: Sequence[AssetId]) -> Mapping[AssetId, OrderBook]:
        return self.books(assets)

    def watch(self, _assets: Iterable[AssetId]) -> None:
        pass


class TestTheWatch:
    def watching(self, text: str) -> MarketWatch:
        venue, rules = Venue(), UniverseRules()
        watch = MarketWatch(venue, venue, venue, FakeClock(), WatchSettings(rules, 300, parse_links(text)))
        watch.refresh()
        return watch

    def test_every_market_that_is_known_has_its_links(self) -> None:
        watch = self.watching(a_link("s", "excludes", "slug:tram", "slug:ferry"))
        tags = [watch.market(market.condition_id).tags[1:] for market in ALL]  # type: ignore[union-attr]
        assert tags == [("link:s",), ("link:s",), ()]
        assert watch.links.exclusive[0].members == (TRAM.condition_id, FERRY.condition_id)

    def test_what_is_held_and_not_listed_any_more_too(self) -> None:
        watch = self.watching(a_link("s", "theme", "slug:tram", "slug:airship"))
        watch.learn([a_market("airship")], {})
        airship = watch.market(ConditionId("0xairship"))
        assert airship is not None
        assert "link:s" in airship.tags

    def test_an_unknown_member_is_logged_once_with_an_example(self) -> None:
        with capture_logs() as logs:
            watch = self.watching(a_link("s", "theme", "slug:tram", "slug:airship"))
            watch.refresh()
        assert [(line["event"], line["count"], line["example"]) for line in logs] == [
            ("links.unknown", 1, "slug:airship (s)")
        ]


class TestTheSetting:
    def test_a_file_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        settings = load_settings(links_file=tmp_path / "none.toml")
        with pytest.raises(ConfigurationError) as refused:
            declared_links(settings)
        assert refused.value.code == "links_file"

    def test_a_file_is_read_and_without_one_nothing_is_linked(self, tmp_path: Path) -> None:
        path = tmp_path / "links.toml"
        path.write_text(a_link("s"), encoding="utf-8")
        assert [link.name for link in declared_links(load_settings(links_file=path)).links] == ["s"]
        assert declared_links(load_settings()).links == ()


class TestRefused:
    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("[[link", "not TOML"),
            ("links = 1", r"\[\[link\]\] tables and nothing else"),
            ("link = 1", r"\[\[link\]\] tables and nothing else"),
            ('[[link]]\nname = "x"', "Link 1 needs name, relation, members and reason"),
            (a_link() + 'because = "x"\n', "because"),
            (a_link("Strike!"), "a name has small letters"),
            (a_link("s", "correlates"), "a relation is one of theme, implies, excludes, exhaustive"),
            (a_link(reason=" "), "a reason is a sentence"),
            (a_link("s", "theme", "tram", "ferry"), "condition or slug or event:ID"),
            (a_link("s", "excludes", "event:7", "slug:tram"), "condition or slug:ID"),
            (a_link("s", "theme", "slug:tram"), "it takes two"),
            (a_link("s", "implies", "slug:a", "slug:b", "slug:c"), "two members"),
            (a_link("s", "theme", "slug:a", "slug:A"), "named twice"),
            (a_link() + a_link(), "Two links have the name strike"),
        ],
    )
    def test_what_is_not_as_described(self, text: str, why: str) -> None:
        with pytest.raises(ConfigurationError, match="links") as refused:
            parse_links(text)
        assert refused.value.code == "links_file"
        assert re.search(why, refused.value.why), refused.value.why

    def test_a_circle_of_implications(self) -> None:
        steps = [("a", "b"), ("b", "c"), ("c", "a")]
        text = "".join(a_link(x, "implies", f"slug:{x}", f"slug:{y}") for x, y in steps)
        with pytest.raises(ConfigurationError) as refused:
            parse_links(text)
        assert "slug:a implies itself" in refused.value.why

    @pytest.mark.parametrize("relation", ["excludes", "exhaustive"])
    def test_what_implies_cannot_exclude_not_even_by_way_of_another(self, relation: str) -> None:
        text = a_link("x", "implies", "slug:a", "slug:b") + a_link("y", "implies", "slug:b", "slug:c")
        with pytest.raises(ConfigurationError) as refused:
            parse_links(text + a_link("z", relation, "slug:a", "slug:c"))
        assert "z: slug:a implies slug:c and cannot exclude it as well" in refused.value.why
