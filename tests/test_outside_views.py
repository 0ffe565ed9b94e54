"""Probabilities from outside: what is read, what is refused and counted, from when on one counts, and for what."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from polyb0t.config.settings import load_settings
from polyb0t.core.clock import microseconds
from polyb0t.core.errors import ConfigurationError, VenueUnreachableError
from polyb0t.data.outside_views import OutsideViews, ViewLines, first_readings, parse_views
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Lease
from polyb0t.models.chances import Candidate
from polyb0t.models.independent import UNSURE, IndependentModel, component_name
from polyb0t.models.logit import logit
from polyb0t.models.pooling import PooledModel, Weight, Weights
from polyb0t.models.proposal import decide_openings
from polyb0t.models.signals import Abstain, Answer, IdentityModel, MarketState, ProbEstimate
from polyb0t.research.observing import Observation
from polyb0t.research.recorder import Changes
from polyb0t.runtime.choices import independent_models, probability_model
from polyb0t.runtime.outside_check import check_outside
from polyb0t.runtime.outside_source import OutsideNotes, OutsideSource, Place, latest_views, read_file
from polyb0t.venue.outside_page import MOST_BYTES, OutsidePage
from polyb0t.venue.preflight import CheckState
from tests.support.builders import a_scope
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_stores
from tests.support.decisions import NOW, a_desk, a_market, a_state, d

READ_AT = NOW
AN_HOUR_AGO = NOW - timedelta(hours=1)
DAY = timedelta(days=1)


def a_line(**changes: object) -> str:
    line = {
        "market": "tram",
        "outcome": "Yes",
        "probability": "0.9",
        "observed_at": AN_HOUR_AGO.isoformat(),
        "source": "consensus",
    }
    return json.dumps({**line, **changes})


def views(*lines: str, read_at: datetime = READ_AT, age: timedelta = DAY) -> OutsideViews:
    return OutsideViews(parse_views("\n".join(lines), read_at), age)


def counted(*lines: str) -> dict[str, int]:
    return dict(views(*lines).unused_among([a_market()], NOW).counts)


def heard(known: OutsideViews, **changes: object) -> MarketState:
    state = a_state(**changes)  # type: ignore[arg-type]
    return replace(state, outside=known.of(state.market, state.now))


def answer(model: object, state: MarketState) -> Answer:
    (said,) = model.estimate_all([state])  # type: ignore[attr-defined]
    return said  # type: ignore[no-any-return]


class TestReading:
    def test_a_line_of_json_is_a_view_of_the_first_outcome(self) -> None:
        (view,) = views(a_line(sd="0.04")).of(a_market(), NOW)
        assert (view.probability, view.sd, view.source) == (d("0.9"), d("0.04"), "consensus")
        assert (view.observed_at, view.known_at) == (AN_HOUR_AGO, READ_AT)

    def test_numbers_of_json_are_read_exactly(self) -> None:
        text = a_line(probability="P").replace('"P"', "0.1000000000000000055")
        (view,) = views(text).of(a_market(), NOW)
        assert view.probability == d("0.1000000000000000055")

    def test_a_table_with_commas_says_the_same(self) -> None:
        table = f"source,market,outcome,probability,observed_at\nx,0xTRAM,no,0.3,{AN_HOUR_AGO.isoformat()}"
        (view,) = views(table).of(a_market(), NOW)
        assert view.probability == d("0.7")  # of the other outcome

    def test_the_newest_of_each_source_counts(self) -> None:
        later = a_line(probability="0.8", observed_at=(AN_HOUR_AGO + timedelta(minutes=5)).isoformat())
        other = a_line(source="a forecaster", probability="0.4")
        found = views(later, a_line(), other).of(a_market(), NOW)
        assert [(view.source, view.probability) for view in found] == [
            ("a forecaster", d("0.4")),
            ("consensus", d("0.8")),
        ]

    def test_a_view_that_was_replaced_is_no_problem(self) -> None:
        old = a_line(observed_at=(NOW - 3 * DAY).isoformat())
        assert counted(a_line(), old) == {}


class TestWhatIsNotUsed:
    @pytest.mark.parametrize(
        ("line", "kind"),
        [
            ("{", "unreadable"),
            ('{"a": NaN}', "unreadable"),
            ("{}", "unreadable"),
            (a_line(source=""), "unreadable"),
            (a_line(source="polyb0t/coherence"), "unreadable"),  # nobody else speaks under our names
            (a_line(probability="high"), "unreadable"),
            (a_line(probability=True), "unreadable"),
            (a_line(probability="0"), "outside"),
            (a_line(probability="1"), "outside"),
            (a_line(probability="1.2"), "outside"),
            (a_line(probability="-0.2"), "outside"),
            (a_line(sd="0"), "outside"),
            (a_line(sd="0.5"), "outside"),
            (a_line(observed_at="2026-11-22T11:00:00"), "no_time"),
            (a_line(observed_at="yesterday"), "no_time"),
            (a_line(observed_at=None), "no_time"),
            (a_line(observed_at=(NOW + timedelta(seconds=1)).isoformat()), "future"),
            (a_line(market="ferry"), "unknown_market"),
            (a_line(outcome="Perhaps"), "unknown_outcome"),
            (a_line(observed_at=(NOW - timedelta(hours=25)).isoformat()), "too_old"),
        ],
    )
    def test_it_is_counted_by_kind_with_an_example(self, line: str, kind: str) -> None:
        known = views(line)
        assert known.of(a_market(), NOW) == ()
        unused = known.unused_among([a_market()], NOW)
        assert dict(unused.counts) == {kind: 1}
        (sentence,) = unused.sentences()
        assert sentence.startswith("1 ")
        assert "for example" in sentence

    def test_the_same_twice_counts_once(self) -> None:
        known = views(a_line(), a_line())
        assert len(known.of(a_market(), NOW)) == 1
        assert counted(a_line(), a_line()) == {"twice": 1}

    def test_two_that_contradict_each_other_count_neither(self) -> None:
        known = views(a_line(), a_line(probability="0.2"), a_line())
        assert known.of(a_market(), NOW) == ()
        assert dict(known.unused_among([a_market()], NOW).counts) == {"twice": 2}

    def test_one_bad_line_does_not_take_the_good_ones_with_it(self) -> None:
        known = views("{", a_line(), a_line(probability="7", source="other"))
        assert len(known.of(a_market(), NOW)) == 1
        assert counted("{", a_line()) == {"unreadable": 1}


class TestFromWhenOn:
    def test_not_before_it_was_read(self) -> None:
        known = views(a_line())
        assert known.of(a_market(), READ_AT - timedelta(seconds=1)) == ()
        assert len(known.of(a_market(), READ_AT)) == 1

    def test_not_before_it_was_made(self) -> None:
        line = parse_views(a_line(), READ_AT).lines[0]
        early = replace(line, read_at=AN_HOUR_AGO - DAY)
        known = OutsideViews(ViewLines((early,)))
        assert known.of(a_market(), AN_HOUR_AGO - timedelta(seconds=1)) == ()
        assert len(known.of(a_market(), AN_HOUR_AGO)) == 1

    def test_the_model_does_not_use_what_is_not_known_yet_either(self) -> None:
        (view,) = views(a_line()).of(a_market(), NOW)
        early = replace(a_state(), outside=(view,), now=READ_AT - timedelta(seconds=1))
        assert isinstance(answer(IndependentModel(), early), Abstain)

    def test_a_line_that_stays_keeps_its_first_reading(self) -> None:
        first = parse_views(a_line(), AN_HOUR_AGO)
        again = parse_views(a_line(), NOW, first_readings(first.lines))
        assert again.lines[0].read_at == AN_HOUR_AGO

    def test_one_that_was_changed_afterwards_is_new(self) -> None:
        first = parse_views(a_line(), AN_HOUR_AGO)
        again = parse_views(a_line(probability="0.7"), NOW, first_readings(first.lines))
        assert again.lines[0].read_at == NOW


class TestTheModel:
    def test_it_says_what_was_said_and_by_whom(self) -> None:
        said = answer(IndependentModel(), heard(views(a_line(sd="0.04"))))
        assert isinstance(said, ProbEstimate)
        assert (said.q, said.sd, said.independent) == (d("0.9"), d("0.04"), True)
        assert said.because == "consensus said 90% at 2026-11-22 11:00 UTC."

    def test_a_source_that_does_not_say_how_sure_it_is_is_taken_for_unsure(self) -> None:
        said = answer(IndependentModel(), heard(views(a_line())))
        assert isinstance(said, ProbEstimate)
        assert said.sd == UNSURE

    def test_without_a_view_it_abstains(self) -> None:
        said = answer(IndependentModel(), a_state())
        assert isinstance(said, Abstain)
        assert said.code == "no_view"

    def test_a_file_alone_never_makes_a_trade(self) -> None:
        markets = [a_market(f"m{n}") for n in range(30)]
        known = views(*(a_line(market=market.slug) for market in markets))
        states = [heard(known, market=market, bid="0.49", ask="0.50") for market in markets]
        model = PooledModel(IdentityModel(), [IndependentModel()])
        answers = model.estimate_all(states)
        assert decide_openings(map(Candidate, states, answers), a_desk()).proposals == ()

    def test_beside_a_model_that_speaks_it_is_shown_and_counts_for_nothing(self, tmp_path: Path) -> None:
        file = tmp_path / "views.jsonl"
        model = probability_model(load_settings(independent_file=file))
        alone = probability_model(load_settings())
        state = heard(views(a_line()))
        with_it, without = answer(model, state), answer(alone, state)
        assert isinstance(with_it, ProbEstimate)
        assert isinstance(without, ProbEstimate)
        assert with_it.q == without.q
        assert (with_it.voices[-1].name, with_it.voices[-1].says) == ("independent", d("0.9"))

    def test_a_source_with_a_weight_speaks_for_itself_and_the_others_still_count_for_nothing(self) -> None:
        name = component_name("consensus")
        weights = Weights("w", NOW + DAY, {(name, "politics"): Weight(d("0.3"), d("0.05"))})
        model = PooledModel(IdentityModel(), independent_models(weights), weights)
        known = views(a_line(), a_line(source="somebody", probability="0.1"))
        said = answer(model, heard(known, bid="0.49", ask="0.51"))
        assert isinstance(said, ProbEstimate)
        assert abs(logit(said.q) - d("0.3") * logit(d("0.9"))) < d("0.0001")
        assert [(voice.name, voice.weight) for voice in said.voices] == [(name, d("0.3")), ("independent", 0)]


class Source:
    """A source over texts that a test puts there."""

    def __init__(self) -> None:
        self.clock = FakeClock(NOW)
        self.text: str | None = a_line()
        self.source = OutsideSource((Place("here", self._text),), self.clock, DAY, 60)

    def _text(self) -> str:
        if self.text is None:
            raise VenueUnreachableError("It does not answer.")
        return self.text

    def found(self) -> int:
        return len(self.source.views.of(a_market(), self.clock.now()))


class TestTheSource:
    def test_what_cannot_be_read_keeps_its_views_until_they_are_too_old(self) -> None:
        here = Source()
        here.source.look()
        here.text = None
        here.clock.advance(minutes=1)
        here.source.look()
        assert (here.found(), list(here.source.problems.values())) == (1, ["It does not answer."])
        here.clock.advance(minutes=24 * 60)
        here.source.look()
        assert here.found() == 0

    def test_what_the_place_no_longer_says_is_no_longer_known(self) -> None:
        here = Source()
        here.source.look()
        here.text = ""
        here.source.look()
        assert here.found() == 0

    def test_it_is_noted_when_it_changes_in_kind(self, tmp_path: Path) -> None:
        here = Source()
        engine = sqlite_stores(tmp_path, here.clock, scope=a_scope()).engine
        lease = engine.acquire(
            "engine", holder="h:1", boot_id="b", process_started="1", regime=Regime.DRY_RUN
        )
        assert isinstance(lease, Lease)
        notes = OutsideNotes(here.source, engine, lease)
        for text in (a_line(), a_line(), a_line() + "\n{", a_line() + "\n{\n{"):
            here.text = text
            here.source.look()
            notes.look([a_market()], here.clock.now())
        told = latest_views(engine)
        assert told is not None
        assert (told["sources"], told["views"]) == (["consensus"], 1)
        assert told["unused"] == ["1 lines that could not be read (for example line 2)."]
        assert len([entry for entry in engine.journal() if entry.kind == "independent.read"]) == 2

    @pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"x" * (MOST_BYTES + 1)])
    def test_a_file_that_is_missing_no_text_or_too_large_is_refused(
        self, tmp_path: Path, content: bytes | None
    ) -> None:
        path = tmp_path / "views.jsonl"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ConfigurationError) as refused:
            read_file(path)
        assert refused.value.code == "independent_file"


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked.append(self.path)
        if self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("location", "/views")
            self.end_headers()
            return
        body = {"/views": a_line().encode(), "/large": b"x" * (MOST_BYTES + 1), "/odd": b"\xff"}[self.path]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


asked: list[str] = []


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Page)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class TestThePage:
    def text(self, url: str) -> str:
        with OutsidePage(url, FakeClock()) as page:
            return page.text()

    def test_a_page_says_what_a_file_would(self, address: str) -> None:
        assert len(parse_views(self.text(address + "/views"), NOW).lines) == 1

    def test_it_sends_us_nowhere(self, address: str) -> None:
        asked.clear()
        with pytest.raises(VenueUnreachableError, match="302"):
            self.text(address + "/elsewhere")
        assert asked == ["/elsewhere"]

    @pytest.mark.parametrize(("path", "code"), [("/large", "venue_too_large"), ("/odd", "venue_malformed")])
    def test_too_much_or_no_text_is_refused(self, address: str, path: str, code: str) -> None:
        with pytest.raises(VenueUnreachableError) as refused:
            self.text(address + path)
        assert refused.value.code == code

    @pytest.mark.parametrize(
        "url",
        [
            "http://example.org/views",
            "ftp://example.org",
            "file:///etc/passwd",
            "http://localhost:80@example.org/",
            "https://anna:secret@example.org/",
            "http://127.0.0.1.example.org/",
        ],
    )
    def test_only_https_or_this_machine(self, url: str) -> None:
        with pytest.raises(ConfigurationError, match="INDEPENDENT_URL"):
            load_settings(independent_url=url)

    @pytest.mark.parametrize("url", ["https://example.org/views?key=1", "http://127.0.0.1:8000/x"])
    def test_those_are_taken(self, url: str) -> None:
        assert load_settings(independent_url=url).independent_url == url


def test_what_was_known_is_recorded_once_with_both_instants() -> None:
    seen = Observation(NOW, outside=views(a_line(sd="0.04")).of(a_market(), NOW))
    batches = Changes().of([seen, seen])
    (row,) = batches["independent"]
    assert row == {
        "at_us": microseconds(READ_AT),
        "observed_us": microseconds(AN_HOUR_AGO),
        "condition": "0xtram",
        "source": "consensus",
        "probability_e6": 900_000,
        "sd_e6": 40_000,
    }


class TestDoctor:
    def test_it_reads_what_is_named_and_says_what_is_wrong_there(self, tmp_path: Path) -> None:
        file = tmp_path / "views.jsonl"
        settings = load_settings(independent_file=file)
        (missing,) = check_outside(settings, FakeClock(NOW))
        assert (missing.state, "No such file" in missing.detail) == (CheckState.FAILED, True)
        file.write_text(a_line())
        (fine,) = check_outside(settings, FakeClock(NOW))
        assert (fine.state, fine.detail.startswith("1 probabilities")) == (CheckState.OK, True)
        file.write_text("\n".join([a_line(observed_at=(NOW - 2 * DAY).isoformat()), "{"]))
        (wrong,) = check_outside(settings, FakeClock(NOW))
        assert wrong.state is CheckState.WARNING
        assert "1 are too old. 1 lines that could not be read" in wrong.detail

    def test_where_nothing_is_named_there_is_nothing_to_check(self) -> None:
        assert check_outside(load_settings(), FakeClock(NOW)) == ()
