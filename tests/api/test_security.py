"""Ways in that people try. Each is refused, and nothing is decided."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from polyb0t.api.app import create_app
from polyb0t.api.security import Reach, networks
from polyb0t.api.security_gate import OPEN_PATHS
from polyb0t.api.security_rates import WRONG_PER_MINUTE
from polyb0t.core.ids import new_intent_id
from polyb0t.execution.access import Role
from polyb0t.execution.intents import IntentRecord, IntentStatus
from polyb0t.execution.scope import Lease, Regime
from polyb0t.runtime.tokens import digest_of
from tests.api.conftest import Service
from tests.support.builders import a_scope

Make = Callable[..., Service]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """A service reached in another way than from this computer alone."""
    made: list[Service] = []

    def one(reach: Reach, **settings: Any) -> Service:
        made.append(Service(tmp_path, a_scope(), Regime.DRY_RUN, reach, **settings))
        return made[-1]

    yield one
    for each in made:
        each.close()


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")


def waits(service: Service, record: IntentRecord) -> None:
    """Nobody has decided about it."""
    now = service.stores.intents.get(record.id)
    assert (now.status, now.decided_by) == (IntentStatus.PENDING, None)


def approve(client: httpx.Client, record: IntentRecord, **body: Any) -> httpx.Response:
    return client.post(f"/intents/{record.id}/approve", json={"digest": record.digest, **body})


class TestTokens:
    def test_with_one_a_decision_is_signed_with_its_name(self, service: Service) -> None:
        record = service.propose()
        answer = approve(service.bearing(service.token("anna")), record)
        assert (answer.status_code, answer.json()["decided_by"]) == (200, "token:anna")

    def test_once_there_was_one_nobody_is_answered_without(self, service: Service) -> None:
        record = service.propose()
        assert service.http.get("/intents").status_code == 200
        service.token("anna")
        service.stores.access.revoke("anna", actor="user:owner", reason="")
        answer = approve(service.http, record)
        refused(answer, 401, "token_required")
        assert answer.headers["www-authenticate"] == 'Bearer realm="polyb0t"'
        waits(service, record)

    @pytest.mark.parametrize(
        "header",
        [
            "Bearer",
            "Bearer null",
            "Bearer pbt_" + "A" * 43,
            "Bearer pbt_" + "A" * 5_000,
            "Bearer ' OR 1=1 --",
            "Bearer %",
            "Basic YW5uYTphbm5h",
            "Token {token}",
            "{token}",
            "Bearer {token}x",
            "Bearer {digest}",
            "Bearer token:anna",
            "Bearer {token},{token}",
            "Bearer \xe9\xe8",
        ],
    )
    def test_what_is_none_in_force_opens_nothing(self, service: Service, header: str) -> None:
        record, token = service.propose(), service.token("anna")
        shown = header.format(token=token, digest=digest_of(token)).encode("latin-1")
        for method, path in (("GET", "/intents"), ("POST", f"/intents/{record.id}/approve")):
            refused(
                service.http.request(method, path, headers={b"authorization": shown}), 401, "token_refused"
            )
        waits(service, record)

    def test_two_at_once_are_none(self, service: Service) -> None:
        record, token = service.propose(), service.token("anna")
        both = [("authorization", f"Bearer {token}"), ("authorization", "Bearer pbt_x")]
        refused(service.http.post(f"/intents/{record.id}/approve", headers=both), 401, "token_refused")
        waits(service, record)

    def test_it_stands_nowhere_but_in_its_header(self, service: Service) -> None:
        record, token = service.propose(), service.token("anna")
        for where in (f"?token={token}", f"?access_token={token}", f"?authorization=Bearer%20{token}"):
            refused(service.http.post(f"/intents/{record.id}/approve{where}"), 401, "token_required")
        service.http.cookies.set("authorization", f"Bearer {token}")
        service.http.cookies.set("token", token)
        refused(approve(service.http, record), 401, "token_required")
        waits(service, record)

    def test_an_expired_one_says_so_and_opens_nothing(self, service: Service) -> None:
        record, token = service.propose(), service.token("anna", days=1e-9)
        refused(approve(service.bearing(token), record), 401, "token_expired")
        waits(service, record)

    def test_a_revoked_one_decides_nothing_from_that_moment(self, service: Service) -> None:
        record, anna = service.propose(), service.bearing(service.token("anna"))
        assert anna.get("/intents").status_code == 200
        service.stores.access.revoke("anna", actor="user:owner", reason="lost")
        refused(approve(anna, record), 401, "token_refused")
        waits(service, record)

    def test_nor_does_one_that_is_revoked_between_the_door_and_the_decision(self, service: Service) -> None:
        """The decision's own transaction asks again."""
        record = service.propose()
        service.token("anna")
        service.stores.access.revoke("anna", actor="user:owner", reason="lost")
        with pytest.raises(Exception, match="not in force"):
            service.stores.intents.approve(
                record.id, digest=record.digest, actor="token:anna", grace_seconds=10
            )
        waits(service, record)

    def test_the_text_is_stored_nowhere(self, service: Service, tmp_path: Path) -> None:
        token = service.token("anna")
        anna = service.bearing(token)
        approve(anna, service.propose())
        answers = [anna.get(path).text for path in ("/intents", "/status", "/openapi.json", "/nothing")]
        stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        assert token.encode() not in stored
        assert not any(token in answer or digest_of(token) in answer for answer in answers)


def doors(service: Service) -> list[tuple[str, str]]:
    """Every method and path that the API describes, with names of things that there are not."""
    described = create_app(service.opened).openapi()["paths"]
    return [
        (method.upper(), path.replace("{", "").replace("}", ""))
        for path, methods in described.items()
        for method in methods
    ]


class TestRoles:
    def test_without_a_token_no_door_opens(self, service: Service) -> None:
        service.token("anna")
        found = doors(service)
        assert len(found) >= 20
        for method, path in found:
            if path not in OPEN_PATHS:
                refused(service.http.request(method, path, json={}), 401, "token_required")

    def test_a_viewer_gets_through_no_door_that_changes_something(self, service: Service) -> None:
        viewer = service.bearing(service.token("vic", Role.VIEWER))
        changing = [door for door in doors(service) if door[0] != "GET"]
        assert len(changing) >= 8
        for method, path in changing:
            refused(viewer.request(method, path, json={}), 403, "role_too_low")
        for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE"):
            assert viewer.request(method, "/intents").status_code == 403

    def test_a_viewer_reads_and_does_not_approve(self, service: Service) -> None:
        record, viewer = service.propose(), service.bearing(service.token("vic", Role.VIEWER))
        assert viewer.get(f"/intents/{record.id}").status_code == 200
        for verb in ("approve", "reject"):
            refused(viewer.post(f"/intents/{record.id}/{verb}"), 403, "role_too_low")
        refused(viewer.post("/kill-switches/MANUAL/trip", json={"reason": "x"}), 403, "role_too_low")
        waits(service, record)

    @pytest.mark.parametrize("verb", ["clear", "override"])
    def test_an_approver_does_not_let_trading_go_on(self, service: Service, verb: str) -> None:
        anna = service.bearing(service.token("anna"))
        assert anna.post("/kill-switches/DAILY_LOSS/trip", json={"reason": "x"}).status_code == 200
        body = {"reason": "x", **({"for": "2h"} if verb == "override" else {})}
        refused(anna.post(f"/kill-switches/DAILY_LOSS/{verb}", json=body), 403, "role_too_low")
        assert [each.type for each in service.stores.switches.list() if each.holds] == ["DAILY_LOSS"]


class TestWhatMayBeAskedWithoutAToken:
    def test_only_whether_the_process_lives(self, service: Service) -> None:
        service.token("anna")
        assert service.http.get("/health").status_code == 200
        for path in ("/health/", "//health", "/health/../intents", "/Health", "/health;x", "/health%2e"):
            answer = service.http.get(path, follow_redirects=False)
            assert answer.status_code in (401, 404, 307), path
        refused(service.http.post("/health"), 401, "token_required")

    def test_from_elsewhere_nobody_even_where_no_token_was_ever_made(self, make: Make) -> None:
        service = make(Reach(local=False))
        record = service.propose()
        refused(service.http.get("/intents"), 401, "token_required")
        refused(approve(service.http, record), 401, "token_required")
        waits(service, record)

    def test_when_an_engine_begins_to_send_real_orders_the_door_closes_by_itself(
        self, real_money: Service
    ) -> None:
        dry = real_money
        dry.stores.engine.release(dry.lease)
        lease = dry.stores.engine.acquire(
            "engine", holder="h:1", boot_id="b", process_started="1", regime=Regime.DRY_RUN
        )
        assert isinstance(lease, Lease)
        assert dry.http.post("/kill-switches/MANUAL/trip", json={"reason": "x"}).status_code == 200
        dry.stores.engine.release(lease)
        dry.stores.engine.acquire(
            "engine", holder="h:1", boot_id="b", process_started="1", regime=Regime.LIVE
        )
        refused(dry.http.post("/kill-switches/MANUAL/trip", json={"reason": "x"}), 401, "token_required")


class TestRealMoney:
    def test_what_is_approved_is_named_by_its_digest(self, real_money: Service) -> None:
        record, anna = real_money.propose(), real_money.bearing(real_money.token("anna"))
        refused(anna.post(f"/intents/{record.id}/approve"), 422, "digest_required")
        refused(anna.post(f"/intents/{record.id}/approve", json={"digest": "0" * 64}), 409, "digest_mismatch")
        waits(real_money, record)
        assert approve(anna, record).json()["status"] == "APPROVED"


class TestLargeTrades:
    def test_two_people_approve_it_over_http_and_each_sees_how_far_it_is(self, service: Service) -> None:
        record = service.propose(approvals_required=2)
        anna, bob = (service.bearing(service.token(name)) for name in ("anna", "bob"))
        first = approve(anna, record).json()
        assert (first["status"], [each["actor"] for each in first["approvals"]]) == (
            "PENDING",
            ["token:anna"],
        )
        refused(approve(anna, record), 409, "already_approved_by_you")
        waits(service, record)
        second = approve(bob, record).json()
        assert (second["status"], len(second["approvals"])) == ("APPROVED", 2)

    def test_the_user_of_this_computer_is_nobody_there(self, service: Service) -> None:
        record = service.propose(approvals_required=2)
        refused(approve(service.http, record), 403, "token_needed")
        waits(service, record)

    def test_a_code_counts_once_and_a_wrong_one_never(self, service: Service) -> None:
        token = service.token("anna")
        anna, code = service.bearing(token), authenticator(service, token)
        first, second = service.propose(code_required=True), service.propose(code_required=True)
        refused(approve(anna, first), 403, "code_needed")
        refused(approve(anna, first, code=wrong(code(1))), 403, "code_wrong")
        shown = code(1)
        assert approve(anna, first, code=shown).json()["status"] == "APPROVED"
        refused(approve(anna, second, code=shown), 403, "code_used")
        waits(service, second)

    @pytest.mark.parametrize(
        "text", ["12345", "1234567", "abcdef", "123 456", "１２３４５６", "-12345", 123456]
    )
    def test_what_is_no_code_is_refused_without_a_try(self, service: Service, text: Any) -> None:
        token = service.token("anna")
        authenticator(service, token)
        record = service.propose(code_required=True)
        refused(approve(service.bearing(token), record, code=text), 422, "invalid_request")
        waits(service, record)

    def test_guessing_codes_ends_after_five(self, service: Service) -> None:
        token = service.token("anna")
        anna, code = service.bearing(token), authenticator(service, token)
        record = service.propose(code_required=True)
        right = code(1)
        codes = [approve(anna, record, code=wrong(right)).json()["code"] for _ in range(7)]
        assert codes == ["code_wrong"] * 5 + ["code_locked"] * 2
        refused(approve(anna, record, code=right), 403, "code_locked")
        waits(service, record)

    def test_another_persons_code_is_wrong(self, service: Service) -> None:
        anna, bob = service.token("anna"), service.token("bob")
        code = authenticator(service, anna)
        authenticator(service, bob)
        record = service.propose(code_required=True)
        refused(approve(service.bearing(bob), record, code=code(1)), 403, "code_wrong")
        waits(service, record)

    def test_who_has_the_token_alone_gets_no_new_codes(self, service: Service) -> None:
        token = service.token("anna")
        authenticator(service, token)
        with pytest.raises(Exception, match="has its codes already"):
            authenticator(service, token)

    def test_the_seed_is_stored_only_under_the_token(self, service: Service, tmp_path: Path) -> None:
        from polyb0t.runtime import codes

        token = service.token("anna")
        cells = authenticator(service, token).__closure__ or ()
        (seed,) = [cell.cell_contents for cell in cells if isinstance(cell.cell_contents, codes.Seed)]
        stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        assert seed.secret not in stored
        assert seed.text.encode() not in stored
        assert seed.secret.hex().encode() not in stored
        assert seed.text not in repr(seed)


def authenticator(service: Service, token: str) -> Callable[[int], str]:
    """Sets codes up for a token, as the telephone that scanned them; the code so many steps from now."""
    import pyotp

    from polyb0t.runtime.codes import enrol, new_seed
    from polyb0t.runtime.tokens import identify

    opened = service.opened
    seed = new_seed(opened, identify(opened, token, opened.stores.intents.now()))

    def code(steps: int = 0) -> str:
        at = int(opened.stores.intents.now().timestamp()) + 30 * steps
        return str(pyotp.TOTP(seed.text).at(at))

    identity = identify(opened, token, opened.stores.intents.now())
    enrol(opened, identity, seed, code(0), actor="user:owner")
    return code


def wrong(code: str) -> str:
    """Six digits that are not these."""
    return f"{(int(code) + 1) % 1_000_000:06d}" if code[-1] != "9" else f"{(int(code) + 2) % 1_000_000:06d}"


class TestBruteForce:
    def test_wrong_tokens_are_slowed_down_and_a_right_one_still_gets_in(self, service: Service) -> None:
        anna = service.bearing(service.token("anna"))
        guesses = [
            service.http.get("/intents", headers={"authorization": f"Bearer pbt_{number:043d}"})
            for number in range(WRONG_PER_MINUTE + 5)
        ]
        statuses = [answer.status_code for answer in guesses]
        assert statuses == [401] * WRONG_PER_MINUTE + [429] * 5
        assert 1 <= int(guesses[-1].headers["retry-after"]) <= 60
        assert anna.get("/intents").status_code == 200

    def test_too_many_requests_of_one_are_told_when_to_come_again_and_others_are_answered(
        self, make: Make
    ) -> None:
        service = make(Reach(requests_per_minute=20))
        anna, bob = (service.bearing(service.token(name)) for name in ("anna", "bob"))
        answers = [anna.get("/status") for _ in range(25)]
        assert [answer.status_code for answer in answers] == [200] * 20 + [429] * 5
        refused(answers[-1], 429, "too_many_requests")
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert bob.get("/status").status_code == 200

    def test_the_open_path_is_counted_as_well(self, make: Make) -> None:
        service = make(Reach(requests_per_minute=10))
        assert [service.http.get("/health").status_code for _ in range(11)] == [200] * 10 + [429]


class TestWhereFrom:
    def test_an_address_that_is_not_on_the_list_is_not_answered(self, make: Make) -> None:
        service = make(Reach(allow=networks(["10.0.0.0/8"])))
        for path in ("/health", "/intents"):
            refused(service.http.get(path), 403, "address_not_allowed")

    def test_what_a_client_claims_about_its_address_is_not_believed(self, make: Make) -> None:
        service = make(Reach(allow=networks(["10.0.0.0/8"])))
        claims = {"x-forwarded-for": "10.0.0.1", "x-real-ip": "10.0.0.1", "forwarded": "for=10.0.0.1"}
        refused(service.http.get("/intents", headers=claims), 403, "address_not_allowed")

    def proxied(self, make: Make, **more: Any) -> Service:
        return make(
            Reach(
                names=frozenset({"trader.example", "127.0.0.1"}),
                secure=True,
                proxies=networks(["127.0.0.1/32"]),
                local=False,
                **more,
            )
        )

    def ask(self, service: Service, **headers: str) -> httpx.Response:
        token = f"Bearer {service.token(f'anna{len(service.stores.access.tokens())}')}"
        plain = {"host": "trader.example", "x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}
        given = {**plain, "authorization": token, **{k.replace("_", "-"): v for k, v in headers.items()}}
        return service.http.get("/intents", headers={k: v for k, v in given.items() if v != ""})

    def test_behind_a_proxy_its_word_counts_and_only_its_last_one(self, make: Make) -> None:
        service = self.proxied(make, allow=networks(["203.0.113.0/24"]))
        assert self.ask(service).status_code == 200
        refused(self.ask(service, x_forwarded_for="198.51.100.1"), 403, "address_not_allowed")
        forged = "203.0.113.9, 198.51.100.1"  # the client wrote the first, the proxy the second
        refused(self.ask(service, x_forwarded_for=forged), 403, "address_not_allowed")
        assert self.ask(service, x_forwarded_for="198.51.100.1, 203.0.113.9").status_code == 200

    @pytest.mark.parametrize(
        ("headers", "code"),
        [
            ({"x_forwarded_proto": "http"}, "not_https"),
            ({"x_forwarded_proto": ""}, "not_https"),
            ({"x_forwarded_for": ""}, "foreign_address"),
            ({"x_forwarded_for": "unknown"}, "foreign_address"),
            ({"x_forwarded_for": "127.0.0.1"}, "foreign_address"),
            ({"host": "evil.example"}, "foreign_host"),
            ({"origin": "http://trader.example"}, "foreign_origin"),
        ],
    )
    def test_what_the_proxy_does_not_say_is_not_guessed(
        self, make: Make, headers: dict[str, str], code: str
    ) -> None:
        refused(self.ask(self.proxied(make), **headers), 403, code)

    def test_who_goes_around_the_proxy_is_not_answered(self, make: Make) -> None:
        service = make(
            Reach(
                names=frozenset({"127.0.0.1"}), secure=True, proxies=networks(["192.0.2.1/32"]), local=False
            )
        )
        headers = {"x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "https"}
        refused(service.http.get("/intents", headers=headers), 403, "not_through_proxy")


class TestPagesOfOthers:
    def test_a_form_that_a_browser_sends_with_all_it_has_decides_nothing(self, service: Service) -> None:
        """Whatever the person has open elsewhere: no cookie and no stored login stands for a token."""
        record, token = service.propose(), service.token("anna")
        for kind in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"):
            headers = {
                "content-type": kind,
                "origin": "https://evil.example",
                "authorization": f"Bearer {token}",
            }
            answer = service.http.post(f"/intents/{record.id}/approve", headers=headers, content=b"{}")
            assert answer.status_code == 403
        waits(service, record)

    @pytest.mark.parametrize(
        "host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "[::ffff:127.0.0.1]", ""]
    )
    def test_a_name_that_was_pointed_here_is_not_ours_even_with_a_token(
        self, service: Service, host: str
    ) -> None:
        record, token = service.propose(), service.token("anna")
        answer = service.bearing(token).post(f"/intents/{record.id}/approve", headers={"host": host})
        assert answer.status_code in (400, 403)
        waits(service, record)

    def test_no_answer_can_be_framed_guessed_or_kept(self, service: Service) -> None:
        for answer in (service.http.get("/intents"), service.http.get("/intents", headers={"host": "x"})):
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["x-frame-options"] == "DENY"
            assert answer.headers["content-security-policy"].startswith("default-src 'none'")
            assert answer.headers["cache-control"] == "no-store"
            assert "access-control-allow-origin" not in answer.headers

    def test_by_https_a_browser_is_told_to_stay_there(self, make: Make) -> None:
        service = make(Reach(secure=True))
        assert "max-age" in service.http.get("/health").headers["strict-transport-security"]


class TestBodies:
    def test_one_without_a_length_is_refused(self, service: Service) -> None:
        record = service.propose()

        def parts() -> Iterator[bytes]:
            yield b'{"reason": "' + b"x" * 50_000 + b'"}'

        path = f"/intents/{record.id}/reject"
        answer = service.http.post(path, content=parts(), headers={"content-type": "application/json"})
        refused(answer, 411, "length_required")
        waits(service, record)

    @pytest.mark.parametrize("length", ["-1", "1e3", "9" * 400, "0x10", "ten"])
    def test_a_length_that_is_none_is_refused(self, service: Service, length: str) -> None:
        record = service.propose()
        raw = raw_answer(
            service,
            f"POST /intents/{record.id}/reject HTTP/1.1\r\nHost: {service.address}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{{}}",
        )
        assert raw.split(" ", 2)[1] in ("400", "413")
        waits(service, record)

    @pytest.mark.parametrize(
        "body",
        [
            b"{",
            b"[]",
            b'"approve"',
            b'{"digest": {"$ne": ""}}',
            b'{"digest": null, "actor": "token:boss"}',
            b'{"role": "admin"}',
            b'{"shares": "NaN"}',
            b'{"shares": "1e400"}',
            b'{"worst_price": "-0.5"}',
            b"\xff\xfe\x00",
            b"[" * 9_000,
            b'{"digest": "' + b"\\u0000" * 64 + b'"}',
        ],
    )
    def test_what_is_no_approval_decides_nothing(self, service: Service, body: bytes) -> None:
        record = service.propose()
        headers = {"content-type": "application/json"}
        answer = service.http.post(f"/intents/{record.id}/approve", content=body, headers=headers)
        assert 400 <= answer.status_code < 500, answer.text
        waits(service, record)


class TestTricksInPathsAndTexts:
    @pytest.mark.parametrize(
        "path",
        [
            "/intents/{id}/approve/../reject",
            "/intents/{id}/./approve",
            "/intents//{id}/approve",
            "/intents/{id}/approve%00",
            "/intents/{id}%2fapprove",
            "/intents/%2e%2e/kill-switches/MANUAL/trip",
            "/INTENTS/{id}/approve",
            "/intents/{id}/approve;x=1",
            "//127.0.0.1/intents/{id}/approve",
            "/intents/{id}\\approve",
        ],
    )
    def test_no_spelling_of_a_path_gets_a_viewer_further(self, service: Service, path: str) -> None:
        record, viewer = service.propose(), service.token("vic", Role.VIEWER)
        raw = raw_answer(
            service,
            f"POST {path.format(id=record.id)} HTTP/1.1\r\nHost: {service.address}\r\n"
            f"Authorization: Bearer {viewer}\r\nContent-Length: 0\r\n\r\n",
        )
        assert raw.split(" ", 2)[1] in ("400", "403", "404")
        waits(service, record)

    @pytest.mark.parametrize("override", ["x-http-method-override", "x-method-override", "x-http-method"])
    def test_nor_does_a_header_that_names_another_method(self, service: Service, override: str) -> None:
        record, viewer = service.propose(), service.bearing(service.token("vic", Role.VIEWER))
        viewer.get(f"/intents/{record.id}/approve", headers={override: "POST"})
        viewer.get(f"/intents/{record.id}/approve?_method=POST")
        waits(service, record)

    @pytest.mark.parametrize(
        "text",
        [
            "' OR '1'='1",
            "%",
            "_",
            "%25",
            "x'; DROP TABLE trade_intents; --",
            "a\x00b",
            "../../etc/passwd",
            "*",
        ],
    )
    def test_an_id_is_text_and_no_pattern_or_statement(self, service: Service, text: str) -> None:
        record = service.propose()
        answer = service.http.post(httpx.URL(f"http://{service.address}").join(quote(text, record)))
        assert answer.status_code in (404, 405)
        waits(service, record)

    def test_a_reason_is_kept_as_it_was_typed_and_drawn_as_one_line(self, service: Service) -> None:
        evil = "'); DROP TABLE journal;--\x1b[2J\r\n2026-11-22 12:00 APPROVED by boss [red]x[/red] <script>"
        record = service.propose()
        answer = service.http.post(f"/intents/{record.id}/reject", json={"reason": evil})
        assert (answer.status_code, answer.json()["result_detail"]) == (200, evil)
        (entry,) = [e for e in service.stores.engine.journal() if e.kind == "intent.rejected"]
        assert "\n" not in entry.payload
        assert json.loads(entry.payload)["detail"] == evil
        assert service.stores.engine.audit().findings == ()

    def test_a_header_cannot_be_smuggled_into_an_answer(self, service: Service) -> None:
        raw = raw_answer(
            service,
            f"GET /intents/x%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: {service.address}\r\n\r\n",
        )
        assert "set-cookie" not in raw.lower().split("\r\n\r\n")[0]

    def test_a_second_request_behind_a_wrong_length_is_not_answered_as_ours(self, service: Service) -> None:
        record, token = service.propose(), service.token("anna")
        inner = (
            f"POST /intents/{record.id}/approve HTTP/1.1\r\nHost: {service.address}\r\n"
            f"Content-Length: 0\r\n\r\n"
        )
        raw = raw_answer(
            service,
            f"POST /intents/{new_intent_id()}/reject HTTP/1.1\r\nHost: {service.address}\r\n"
            f"Authorization: Bearer {token}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
            f"0\r\n\r\n{inner}",
        )
        assert " 200 " not in raw
        waits(service, record)


def quote(text: str, record: IntentRecord) -> str:
    from urllib.parse import quote as spell

    del record
    return f"/intents/{spell(text, safe='')}/approve"


def raw_answer(service: Service, request: str) -> str:
    """What the server says to these bytes."""
    host, port = service.address.split(":")
    with raw_socket(host, int(port)) as line:
        line.sendall(request.encode("latin-1"))
        line.settimeout(2)
        said = b""
        try:
            while part := line.recv(65_536):
                said += part
                if b"\r\n\r\n" in said:
                    break
        except TimeoutError:
            pass
    return said.decode("latin-1")


@contextmanager
def raw_socket(host: str, port: int) -> Iterator[socket.socket]:
    line = socket.create_connection((host, port), timeout=5)
    try:
        yield line
    finally:
        line.close()
