"""The watch over HTTP: the same screen and the same keys, read and decided with a token."""

import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest

from polyb0t.cli.watch_http import Api, HttpSource
from polyb0t.core.errors import (
    ConflictError,
    NotAuthorisedError,
    PolybotError,
    UsageError,
    VenueUnreachableError,
)
from polyb0t.core.ids import AssetId
from polyb0t.execution.access import Role
from polyb0t.execution.intents import IntentStatus
from polyb0t.models.kill_switches import KillSwitchType
from polyb0t.runtime.watch_look import Watcher
from tests.api.conftest import Service
from tests.cli.watching import Hand, watch


@pytest.fixture
def screens() -> Iterator[Callable[[str, str], HttpSource]]:
    """Screens at an address with a token, closed at the end."""
    opened: list[HttpSource] = []

    def screen(address: str, token: str) -> HttpSource:
        opened.append(HttpSource(Api(address, token)))
        return opened[-1]

    yield screen
    for each in opened:
        each.api.close()


@pytest.fixture
def anna(service: Service, screens: Callable[[str, str], HttpSource]) -> HttpSource:
    """An approver's screen."""
    source = screens(f"http://{service.address}", service.token("anna"))
    source.look()
    return source


def status_of(service: Service, intent_id: Any) -> IntentStatus:
    return service.stores.intents.get(intent_id).status


class TestReading:
    def test_it_shows_what_the_database_shows(self, service: Service, anna: HttpSource) -> None:
        service.propose()
        ours, theirs = Watcher(service.opened).look(), anna.look()
        assert theirs.rows == ours.rows
        assert (theirs.scope, theirs.regime, theirs.switches) == (ours.scope, ours.regime, ours.switches)

    def test_where_nothing_changed_only_a_brief_word_is_sent(
        self, service: Service, anna: HttpSource
    ) -> None:
        service.propose()
        mark = anna.look().mark
        answer = service.bearing(anna.api.token).get("/watch", params={"mark": mark}).json()
        assert answer["look"] is None
        assert len(answer["brief"]) < 500
        assert anna.look().rows

    def test_who_watches_is_known_by_the_tokens_name(self, service: Service, anna: HttpSource) -> None:
        record = service.propose()
        assert anna.me == "token:anna"
        anna.mark("0123456789abcdef", record.id, [record.id])
        anna.look()
        (mark,) = service.stores.onlookers.onlookers()
        assert (mark.actor, mark.looking_at) == ("token:anna", record.id)
        assert service.stores.intents.get(record.id).seen_at is not None

    def test_without_a_token_nothing_is_shown_where_there_are_tokens(
        self, service: Service, screens: Callable[[str, str], HttpSource]
    ) -> None:
        service.token("anna")
        with pytest.raises(NotAuthorisedError):
            screens(f"http://{service.address}", "").look()

    @pytest.mark.parametrize(
        "query",
        [
            "viewer=x",
            "viewer=0123456789ABCDEF",
            "looking_at=short",
            "looking_at=' or 1=1",
            "mark=" + "x" * 101,
        ],
    )
    def test_what_is_no_screen_of_ours_is_refused(self, service: Service, query: str) -> None:
        assert service.http.get(f"/watch?{query}").status_code == 422


class TestDeciding:
    def test_the_same_keys_approve_under_the_tokens_name(self, service: Service, anna: HttpSource) -> None:
        record = service.propose()

        async def steps(hand: Hand) -> None:
            await hand.press("a", "y")
            assert "approved." in hand.text

        watch(steps, anna, me=anna.me)
        approved = service.stores.intents.get(record.id)
        assert (approved.status, approved.decided_by) == (IntentStatus.APPROVED, "token:anna")

    def test_a_quarter_is_approved_with_the_digest_that_stood_there(
        self, service: Service, anna: HttpSource
    ) -> None:
        record = service.propose()
        shown: list[str] = []

        async def steps(hand: Hand) -> None:
            await hand.press("s", "s")
            assert hand.app._offer is not None
            shown.append(hand.app._offer[1].shown.record.digest)
            await hand.press("y")
            assert "approved, smaller." in hand.text

        watch(steps, anna, me=anna.me)
        (smaller,) = [each for each in service.stores.intents.list() if each.intent.parent_id == record.id]
        assert (smaller.status, smaller.digest) == (IntentStatus.APPROVED, shown[0])
        assert smaller.intent.least_shares == Decimal("37.49")

    def test_exits_are_approved_with_the_digest_that_stood_there(
        self, service: Service, anna: HttpSource
    ) -> None:
        service.propose()
        shown: list[str] = []

        async def steps(hand: Hand) -> None:
            await hand.press("e")
            assert hand.app._offer is not None
            exits = hand.app._offer[1].shape.exits
            assert exits is not None
            shown.append(exits.digest)
            await hand.press("y")
            assert "approved with its exits." in hand.text

        watch(steps, anna, me=anna.me)
        (standing,) = service.stores.standing.active()
        assert standing.digest == shown[0]

    def test_exits_that_come_out_otherwise_are_not_approved(self, service: Service, anna: HttpSource) -> None:
        record = service.propose()
        exits = anna.exits(record.intent)
        body = {
            "digest": record.digest,
            "with_exits": True,
            "shown_exits": {
                "id": exits.id,
                "created_at": exits.created_at.isoformat(),
                "digest": "0" * 64,
            },
        }
        answer = service.bearing(anna.api.token).post(f"/intents/{record.id}/approve", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "digest_mismatch")
        assert status_of(service, record.id) is IntentStatus.PENDING

    def test_reject_mute_and_halt(self, service: Service, anna: HttpSource) -> None:
        first, second = service.propose(asset_id=AssetId("71")), service.propose(asset_id=AssetId("72"))

        async def steps(hand: Hand) -> None:
            await hand.press("r")
            hand.rested()
            await hand.press("m")
            assert "its market stays away until" in hand.text
            await hand.press("H", "H")
            assert "Halted: nothing new is sent." in hand.text

        watch(steps, anna, me=anna.me)
        assert {status_of(service, each.id) for each in (first, second)} == {IntentStatus.REJECTED}
        assert len(service.stores.by_hand.mutes()) == 1
        manual = [each for each in service.stores.switches.list() if each.type is KillSwitchType.MANUAL]
        assert manual[0].tripped

    def test_a_viewer_sees_everything_and_decides_nothing(
        self, service: Service, screens: Callable[[str, str], HttpSource]
    ) -> None:
        record = service.propose()
        viewer = screens(f"http://{service.address}", service.token("vera", Role.VIEWER))
        viewer.look()

        async def steps(hand: Hand) -> None:
            assert "pay at most 95.16" in hand.text
            await hand.press("a", "y")
            assert "approved." not in hand.text
            await hand.press("r")

        watch(steps, viewer, me=viewer.me)
        assert status_of(service, record.id) is IntentStatus.PENDING

    def test_the_refusal_of_a_decision_is_told_in_the_apis_own_sentence(
        self, service: Service, anna: HttpSource
    ) -> None:
        record = service.propose()

        async def steps(hand: Hand) -> None:
            await hand.press("a")
            service.stores.intents.reject(record.id, actor="user:bob", reason="")
            await hand.press("y")
            assert "Not approved: bob rejected" in hand.text

        watch(steps, anna, me=anna.me)


class _Mute(BaseHTTPRequestHandler):
    """Takes a decision and hangs up."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>an API of somebody else</html>")

    def do_POST(self) -> None:
        self.asked.append(self.path)
        self.connection.close()

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def stranger() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Mute)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


class TestWhatCanGoWrong:
    def test_a_decision_without_an_answer_is_not_known_and_not_sent_again(self, stranger: str) -> None:
        _Mute.asked.clear()
        with pytest.raises(VenueUnreachableError, match="It is not known"):
            Api(stranger, "").post("/x", {}, "Not approved.", "It is not known whether k7m2 was approved.")
        assert _Mute.asked == ["/x"]

    def test_nobody_there_is_said_with_what_did_not_happen(self) -> None:
        with pytest.raises(VenueUnreachableError, match=r"Not approved\. The API at"):
            Api("http://127.0.0.1:9", "").post("/x", {}, "Not approved.", "It is not known.")
        with pytest.raises(VenueUnreachableError, match="does not answer"):
            HttpSource(Api("http://127.0.0.1:9", "")).look()

    def test_what_is_no_api_of_ours_is_said(
        self, stranger: str, screens: Callable[[str, str], HttpSource]
    ) -> None:
        with pytest.raises(PolybotError, match="not as an API of polyb0t does"):
            screens(stranger, "").look()

    @pytest.mark.parametrize("url", ["ftp://x", "127.0.0.1:8000", "http://", "http://x/path"])
    def test_an_address_that_cannot_be_one(self, url: str) -> None:
        with pytest.raises(UsageError):
            Api(url, "")

    def test_a_token_never_travels_unencrypted(self) -> None:
        with pytest.raises(UsageError, match="unencrypted"):
            Api("http://desk.example", "pbt_x")
        Api("http://127.0.0.1:8000", "pbt_x")
        Api("https://desk.example", "pbt_x")

    def test_the_token_is_in_no_text_of_the_connection(self) -> None:
        assert "pbt_x" not in repr(Api("http://127.0.0.1:8000", "pbt_x"))

    def test_a_trade_that_was_altered_on_the_way_is_not_shown(
        self, service: Service, anna: HttpSource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        service.propose()
        answer = service.bearing(anna.api.token).get("/watch").json()
        answer["look"] = answer["look"].replace('"max_cost":"95.16"', '"max_cost":"5.16"')
        monkeypatch.setattr(Api, "get", lambda *_: answer)
        with pytest.raises(ConflictError, match="not what its digest says"):
            anna.look()
