"""Markets that are over, and the file that they are kept in.

A file is gzipped lines of JSON: the first names the format and the source, each other one is a market
with its price points. Instants are microseconds since 1970 UTC, prices whole millionths.
"""

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from polyb0t.core.errors import ConfigurationError, NotFoundError
from polyb0t.models.model_files import unknown_format
from polyb0t.research.evaluation.observations import DAY_US, VOID, Codes, Floats
from polyb0t.research.history.problems import Problems

FORMAT: Final = "polyb0t-market-history-1"
MILLION: Final = 1_000_000
GAP_US: Final = 7 * DAY_US
EARLIEST_US: Final = 946_684_800_000_000  # 2000-01-01: what lies before it was counted in other units
LATEST_US: Final = 4_102_444_800_000_000  # 2100-01-01
UNCATEGORISED: Final = "uncategorised"
_PAYS: Final = {0: 0.0, MILLION // 2: VOID, MILLION: 1.0}


@dataclass(frozen=True, slots=True)
class PastMarket:
    """One market that is over. `outcome` is what a share of the first outcome paid: 0, a half or 1."""

    market: str
    event: str
    category: str
    question: str
    named_sides: bool
    opens_us: int
    ends_us: int  # as scheduled
    resolved_us: int
    outcome: float
    at_us: Codes
    price: Floats
    end_told: bool = True  # False: `ends_us` is the last price's instant


@dataclass(frozen=True, slots=True)
class History:
    """What was read: markets by name, the hash of what they were read from, and what was wrong."""

    markets: tuple[PastMarket, ...]
    source: str
    data_hash: str
    problems: Problems


def write_history(path: Path, markets: Iterable[Mapping[str, object]], *, source: str) -> int:
    """Write the lines of `markets` ; how many. An old file is replaced as a whole or not at all."""
    part, count = path.with_name(path.name + ".part"), 0
    try:
        with gzip.open(part, "wt", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps({"format": FORMAT, "source": source}) + "\n")
            for market in markets:
                file.write(json.dumps(market, separators=(",", ":")) + "\n")
                count += 1
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return count


def read_history(path: Path) -> History:
    """Every usable market of a file that `write_history` made.

    Raises:
        NotFoundError: there is no such file.
        ConfigurationError: it cannot be read, or is of another format.
    """
    refuse_no_file(path)
    problems, source = Problems(), ""
    found: dict[str, PastMarket] = {}
    digest = hashlib.sha256()
    try:
        with gzip.open(path, "rb") as file:
            for number, line in enumerate(file, 1):
                digest.update(line)
                if number == 1:
                    source = _header(line)
                    continue
                market = _market(line, number, problems)
                if market is None:
                    continue
                if market.market in found:
                    problems.note("twice", market.market)
                found.setdefault(market.market, market)
    except (OSError, EOFError, ValueError) as error:
        told = "it is not gzipped lines of JSON" if isinstance(error, gzip.BadGzipFile) else error
        raise ConfigurationError(
            f"{path.name} was not used.",
            why=f"It is no history that polyb0t collected: {told}.",
            do="Collect one: polyb0t model collect",
            code="history_file",
        ) from error
    markets = tuple(found[name] for name in sorted(found))
    return History(markets, source, digest.hexdigest(), problems)


def refuse_no_file(path: Path) -> None:
    """Raises NotFoundError: there is none of this name. ConfigurationError: it is a folder."""
    if path.is_dir():
        raise ConfigurationError(
            f"{path.name} was not used.",
            why="It is a folder, and a history is a file.",
            do="Give a file of polyb0t model collect, or prices in Parquet.",
            code="history_file",
        )
    if not path.exists():
        raise NotFoundError(
            f"There is no {path}.", do="Collect one: polyb0t model collect", code="no_history"
        )


def _header(line: bytes) -> str:
    told = json.loads(line)
    form = told.get("format") if isinstance(told, dict) else None
    if form != FORMAT:
        raise unknown_format(form, (FORMAT,))
    return str(told.get("source", ""))


def _market(line: bytes, number: int, problems: Problems) -> PastMarket | None:
    try:
        told = json.loads(line)
        named = str(told["market"])
    except (ValueError, KeyError, TypeError):
        problems.note("unreadable_line", f"line {number}")
        return None
    if told.get("pays_e6") is None or told.get("resolved_us") is None:
        problems.note("no_outcome", named)
        return None
    if isinstance(told["pays_e6"], bool) or told["pays_e6"] not in list(_PAYS):
        problems.note("impossible_payout", f"{named} pays {told['pays_e6']!s:.20} millionths")
        return None
    try:
        return checked_market(
            problems,
            market=named,
            event=str(told["event"] or ""),
            category=str(told["category"] or ""),
            question=str(told["question"]),
            named_sides=told["named_sides"] is True,
            opens_us=int(told["opens_us"]),
            ends_us=None if told["ends_us"] is None else int(told["ends_us"]),
            resolved_us=int(told["resolved_us"]),
            outcome=_PAYS[told["pays_e6"]],
            points=np.array(told["points"], dtype=np.float64).reshape(-1, 2),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        problems.note("unreadable_market", named)
        return None


def checked_market(
    problems: Problems,
    *,
    market: str,
    event: str,
    category: str,
    question: str,
    named_sides: bool,
    opens_us: int,
    ends_us: int | None,
    resolved_us: int,
    outcome: float,
    points: Floats,
) -> PastMarket | None:
    """The market with its usable points, `(microseconds, millionths)`; None when it has none.

    What is left out or put in order is counted in `problems`.
    """
    if outcome == VOID:
        problems.note("void", market)
    timed = np.isfinite(points[:, 0]) & (points[:, 0] >= EARLIEST_US) & (points[:, 0] < LATEST_US)
    problems.note("impossible_time", market, int((~timed).sum()))
    points = points[timed]
    at, price = points[:, 0].astype(np.int64), points[:, 1] / MILLION
    inside = (price > 0) & (price < 1) & np.isfinite(price)
    problems.note("price_outside", market, int((~inside).sum()))
    early = at <= resolved_us
    problems.note("after_the_end", market, int((inside & ~early).sum()))
    at, price = at[inside & early], price[inside & early]
    if len(at) and (np.diff(at) < 0).any():
        problems.note("out_of_order", market)
    at, first = np.unique(at, return_index=True)
    problems.note("duplicate_point", market, len(price) - len(first))
    price = price[first]
    if not len(at):
        problems.note("no_prices", market)
        return None
    if (np.diff(at) > GAP_US).any():
        problems.note("gap", market)
    if ends_us is None:
        problems.note("end_not_told", market)
    return PastMarket(
        market, event or market, category.lower() or UNCATEGORISED, question, named_sides,
        opens_us, int(at[-1]) if ends_us is None else ends_us, resolved_us, outcome, at, price,
        end_told=ends_us is not None,
    )  # fmt: skip


def mondays(start_us: int, end_us: int) -> Iterator[int]:
    """Every Monday 00:00 UTC from `start_us` up to and without `end_us`."""
    week = 7 * DAY_US
    monday = 4 * DAY_US  # 1970-01-05
    first = start_us + (monday - start_us) % week
    yield from range(first, end_us, week)
