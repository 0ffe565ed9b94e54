"""What can happen to a request between us and the exchange, each by the name that the document uses."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from polyb0t.venue.one_shot import NeverLeft, NoAnswer
from polyb0t.venue.one_shot import Reply as Got
from tests.faults.line import Letter, Line, Trouble

Strike = Callable[[Line, Letter], Got]
LIMITED: Final = {"poly-ratelimit-limit": "10", "poly-ratelimit-remaining": "0"}
PAGE: Final = b"<!DOCTYPE html><html><body>Bad gateway</body></html>"
FOREIGN: Final = "0x" + "fe" * 32


def placing(letter: Letter) -> bool:
    return letter.places


def reading(letter: Letter) -> bool:
    return letter.method == "GET"


def looking_up(letter: Letter) -> bool:
    return "/data/order/" in letter.url


def cancelling(letter: Letter) -> bool:
    return letter.method == "DELETE"


def lost_before(_line: Line, _letter: Letter) -> Got:
    raise NoAnswer("no answer within 10 s")


def lost_after(line: Line, letter: Letter) -> Got:
    line.deliver(letter)
    raise NoAnswer("no answer within 10 s")


def cut(line: Line, letter: Letter) -> Got:
    got = line.deliver(letter)
    return Got(got.status, got.headers, got.body[: len(got.body) // 2])


def never_left(_line: Line, _letter: Letter) -> Got:
    raise NeverLeft("connection refused")


def held_up(seconds: float) -> Strike:
    """The sender gives up; the request arrives so much later."""

    def strike(line: Line, letter: Letter) -> Got:
        line.delayed.append((seconds, letter))
        raise NoAnswer("no answer within 10 s")

    return strike


def answers(
    status: int, body: object, headers: Mapping[str, str] | None = None, *, after: bool = False
) -> Strike:
    """This answer, with (`after`) or without the exchange having acted."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    def strike(line: Line, letter: Letter) -> Got:
        if after:
            line.deliver(letter)
        return Got(status, dict(headers or {}), content)

    return strike


def rewritten(**changes: object) -> Strike:
    """The exchange acts, and its answer is bent."""

    def strike(line: Line, letter: Letter) -> Got:
        got = line.deliver(letter)
        if got.status != 200:
            return got
        return Got(200, got.headers, json.dumps({**json.loads(got.body), **changes}).encode())

    return strike


def rows_bent(**changes: object) -> Strike:
    """The rows of a listing, each with these fields instead of its own."""

    def strike(line: Line, letter: Letter) -> Got:
        got = line.deliver(letter)
        page = json.loads(got.body)
        page["data"] = [{**row, **changes} for row in page.get("data", [])]
        return Got(got.status, got.headers, json.dumps(page).encode())

    return strike


def enlarged(factor: int) -> Strike:
    """The trades of a listing, every size so many times as large."""

    def strike(line: Line, letter: Letter) -> Got:
        got = line.deliver(letter)
        page = json.loads(got.body)
        for row in page.get("data", []):
            row["size"] = str(Decimal(row["size"]) * factor)
            for maker in row.get("maker_orders", []):
                maker["matched_amount"] = str(Decimal(maker["matched_amount"]) * factor)
        return Got(got.status, got.headers, json.dumps(page).encode())

    return strike


def reading_trades(letter: Letter) -> bool:
    return letter.url.split("?")[0].endswith("/data/trades")


def not_found(_line: Line, _letter: Letter) -> Got:
    return Got(404, {}, b'{"error":"order not found"}')


def empty_page(_line: Line, _letter: Letter) -> Got:
    return Got(200, {}, b'{"data":[],"next_cursor":"LTE=","limit":100,"count":0}')


ABSURD: Final[Mapping[str, Strike]] = {
    "trades read with a negative size": rows_bent(size="-20.5"),
    "trades read with a price above one": rows_bent(price="1.48"),
    "trades read 10,000 times too large": enlarged(10_000),
    "trades read as another order's": rows_bent(taker_order_id="0x" + "fe" * 32),
}
ERROR: Final = {"error": "service not ready"}
POSTS: Final[Mapping[str, Strike]] = {
    "reply lost after acceptance": lost_after,
    "timeout before it arrives": lost_before,
    "arrives 3 s late": held_up(3),
    "arrives 20 s late": held_up(20),
    "arrives 70 s late": held_up(70),
    "cut mid-body": cut,
    "500 after acceptance": answers(500, ERROR, after=True),
    "500 before": answers(500, ERROR),
    "502 page after acceptance": answers(502, PAGE, after=True),
    "503 after acceptance": answers(503, ERROR, after=True),
    "503 before": answers(503, ERROR),
    "425 before": answers(425, ERROR),
    "425 after acceptance": answers(425, ERROR, after=True),
    "429 bare after acceptance": answers(429, {"error": "Too Many Requests"}, after=True),
    "429 bare before": answers(429, {"error": "Too Many Requests"}),
    "429 with the exchange's headers": answers(429, {"error": "Too Many Requests"}, LIMITED),
    "HTML with 200 after acceptance": answers(200, PAGE, after=True),
    "HTML with 400 after acceptance": answers(400, PAGE, after=True),
    "unknown status word": rewritten(status="pondering"),
    "success with an error text": rewritten(errorMsg="something went wrong"),
    "success without an id": rewritten(orderID=""),
    "unknown text with 400 after acceptance": answers(400, {"error": "computer says no"}, after=True),
    "context canceled after acceptance": answers(400, {"error": "context canceled"}, after=True),
    "Duplicated after acceptance": answers(400, {"error": "order is invalid. Duplicated."}, after=True),
    "another order's id": rewritten(orderID=FOREIGN),
    "connection refused once": never_left,
}
READS: Final[Mapping[str, Callable[[], list[Trouble]]]] = {
    "reads work": list,
    "reads fail": lambda: [Trouble("reads fail", reading, answers(503, ERROR), 6)],
    "reads are pages": lambda: [Trouble("reads are pages", reading, answers(200, PAGE), 6)],
    "reads time out": lambda: [Trouble("reads time out", reading, lost_before, 4)],
    "seen late": lambda: [
        Trouble("seen late", looking_up, not_found, 3),
        Trouble(
            "lists are late",
            lambda letter: letter.url.split("?")[0].endswith(("/data/orders", "/data/trades")),
            empty_page,
            4,
        ),
    ],
}
