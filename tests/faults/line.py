"""The way to the exchange and what can happen on it, between the product's calls and the sandbox's routes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from polyb0t.core.errors import VenueUnreachableError
from polyb0t.venue.http import Answer, HttpReader
from polyb0t.venue.one_shot import NeverLeft, NoAnswer, OneShot
from polyb0t.venue.one_shot import Reply as Got
from polyb0t.venue.parsing import Refused, decode_json
from tests.faults.exchange import Exchange, with_query
from tests.faults.points import Points

HOST: Final = "127.0.0.1:8137"


@dataclass(frozen=True, slots=True)
class Letter:
    """A request as it leaves."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def places(self) -> bool:
        return self.method == "POST" and self.url.endswith("/order")

    @property
    def cancels(self) -> bool:
        return self.method == "DELETE"


@dataclass(frozen=True, slots=True)
class Trouble:
    """What happens to the next `count` requests that fit."""

    name: str
    fits: Callable[[Letter], bool]
    strike: Callable[["Line", Letter], Got]
    count: int = 1


@dataclass
class Line:
    """Carries one process's requests. `troubles` strike in their order, each as often as it says."""

    exchange: Exchange
    points: Points
    troubles: list[Trouble] = field(default_factory=list)
    delayed: list[tuple[float, Letter]] = field(default_factory=list)  # arrives when the seconds are over
    posts: list[bytes] = field(default_factory=list)  # bodies of orders that left, for the judge
    cancels: list[bytes] = field(default_factory=list)  # and of cancels
    _struck: dict[int, int] = field(default_factory=dict)

    def carry(self, letter: Letter) -> Got:
        """
        Raises:
            NeverLeft, NoAnswer: as `OneShot.call` would.
        """
        self.points.reach(f"before {letter.method} {letter.url.rsplit('/', 1)[-1][:12]}")
        trouble = self._next(letter)
        got = trouble.strike(self, letter) if trouble is not None else self.deliver(letter)
        self.points.reach(f"after {letter.method}")
        return got

    def deliver(self, letter: Letter) -> Got:
        """The request arrives."""
        if letter.places:
            self.posts.append(letter.body)
        if letter.cancels:
            self.cancels.append(letter.body)
        return self.exchange.handle(letter.method, letter.url, letter.headers, letter.body)

    def lift(self) -> None:
        """No more trouble."""
        self.troubles.clear()

    def pass_time(self, seconds: float) -> None:
        """What was held up on the way arrives, whatever became of its sender."""
        held, self.delayed = self.delayed, []
        for left, letter in held:
            if left > seconds:
                self.delayed.append((left - seconds, letter))
            else:
                self.deliver(letter)

    def _next(self, letter: Letter) -> Trouble | None:
        for trouble in self.troubles:
            struck = self._struck.get(id(trouble), 0)
            if struck < trouble.count and trouble.fits(letter):
                self._struck[id(trouble)] = struck + 1
                return trouble
        return None


class LineOneShot(OneShot):
    """The product's single call without its socket."""

    def __init__(self, line: Line) -> None:  # no client is opened
        self._line = line

    def close(self) -> None:
        return

    def call(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"") -> Got:
        return self._line.carry(Letter(method, url, headers, body))


class LineReader(HttpReader):
    """The product's reads without their sockets, and without repeating what failed."""

    def __init__(self, line: Line) -> None:  # no client is opened
        self._line = line

    def close(self) -> None:
        return

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        *,
        also: frozenset[int] = frozenset(),
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        letter = Letter("GET", with_query(url, dict(params or {})), headers or {}, b"")
        try:
            got = self._line.carry(letter)
        except (NeverLeft, NoAnswer) as error:
            raise VenueUnreachableError("The exchange did not answer.", why=str(error)) from error
        if got.status not in also and not 200 <= got.status < 300:
            raise VenueUnreachableError("The exchange did not answer.", why=f"status {got.status}")
        return Answer(HOST, got.status, got.body)

    def parsed(self, answer: Answer) -> object:
        try:
            return decode_json(answer.body)
        except Refused as refused:
            raise self.unusable(answer.host, refused) from refused

    def unusable(self, host: str, refused: Refused) -> VenueUnreachableError:
        return VenueUnreachableError(f"{host} gave no usable answer.", why=refused.what)
