"""What the commands of `polyb0t backtest` do and print."""

import atexit
import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from polyb0t.cli import words
from polyb0t.cli.backtest_look import assumed_words
from polyb0t.cli.progress_line import progress_line
from polyb0t.cli.table import Column, table
from polyb0t.cli.terminal import Terminal
from polyb0t.core.clock import utc
from polyb0t.core.errors import UsageError
from polyb0t.models import wording
from polyb0t.research.analytics.choice_words import choice_words
from polyb0t.research.analytics.funnel_words import funnel, nothing_proposed, why_nothing
from polyb0t.research.analytics.runs import grade_words, model_words
from polyb0t.runtime.analysing import plain_view
from polyb0t.runtime.replay.backtests import Backtests, Done, combinations
from polyb0t.runtime.replay.choosing import judge_choice, once
from polyb0t.runtime.replay.request import RECORDED, Request
from polyb0t.runtime.replay.settings import setting_name
from polyb0t.runtime.replay.speakers import ENGINES, TREES

_UNSEEN: Final = "The best of many trials is good by chance: judge it on a time that none of them saw."
_SWEEP_ENDS: Final = (
    Column("FILLS", right=True),
    Column("RESULT", right=True),
    Column("WORST FALL", right=True),
    Column("RUN"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The words of `polyb0t backtest run`, as they were typed."""

    tapes: tuple[str, ...]
    again: str | None
    since: str | None
    until: str | None
    seed: int
    human: str
    model: str
    walk_forward: str | None
    ends: str | None
    bankroll: str | None
    changed: tuple[str, ...]
    sweeps: tuple[str, ...]
    jobs: int
    every_seconds: float | None
    assume: tuple[str, ...] = ()


_NOTHING_ELSE: Final = Asked(
    tapes=(),
    again=None,
    since=None,
    until=None,
    seed=1,
    human="approves",
    model=ENGINES,
    walk_forward=None,
    ends=None,
    bankroll=None,
    changed=(),
    sweeps=(),
    jobs=1,
    every_seconds=None,
)


def run(terminal: Terminal, flags: Mapping[str, Any], asked: Asked) -> None:
    """Replay what was asked, once or in every combination of a sweep.

    Raises:
        PolybotError: the history, the model or a setting cannot be used; nothing is left behind.
    """
    atexit.unregister(gc.freeze)  # the library that reads histories complains of whatever is left at the end
    with progress_line(terminal) as line:
        sweeps, done = _replayed(Backtests(flags) if line is None else Backtests(flags, line.tell), asked)
    if terminal.json:
        told = [{**each.told, "same": each.same, "trials": each.trials} for each in done]
        terminal.data(told[0] if not sweeps else {"runs": told, "choice": plain_view(judge_choice(done))})
    elif sweeps:
        terminal.show(_sweep_screen(done, list(sweeps), terminal.columns))
    else:
        terminal.show([*_screen(done[0], terminal.columns), *_another_than(asked, done[0], terminal.columns)])


def _another_than(asked: Asked, done: Done, columns: int) -> list[str]:
    """What was to be repeated and could not be: said last, where one looks for whether it is the same."""
    made = done.told["id"]
    if asked.again is None or made.startswith(asked.again):
        return []
    said = (
        f"IT IS NOT THE RUN {asked.again}: the program, the history or the model has changed since, so this "
        f"one has an id of its own. What that did: polyb0t backtest compare {asked.again} {made}"
    )
    return words.wrap(said, columns)


def _replayed(backtests: Backtests, asked: Asked) -> tuple[dict[str, list[str]], list[Done]]:
    """The swept settings with their values, and the runs."""
    if asked.again is not None:
        _refuse_beside_again(asked)
        return {}, [backtests.run(backtests.request_of(asked.again))]
    sweeps = dict(_sweep(text) for text in asked.sweeps)
    return sweeps, backtests.sweep(combinations(_request(asked), sweeps), asked.jobs)


def _request(asked: Asked) -> Request:
    if not asked.tapes:
        raise UsageError(
            "Nothing was replayed: no history was named.",
            do="Name files or folders, or `recorded`: polyb0t backtest run recorded",
        )
    if asked.walk_forward is not None and asked.model not in (ENGINES, TREES):
        raise UsageError(
            "Nothing was replayed: --model and --walk-forward both say who speaks.",
            do="Leave one of them out.",
        )
    changed = dict(_changed(text) for text in asked.changed)
    if asked.bankroll is not None:
        changed["bankroll_pusd"] = asked.bankroll
    return Request(
        tapes=tuple(tape if tape == RECORDED else _path(tape) for tape in asked.tapes),
        ends=None if asked.ends is None else _path(asked.ends),
        since=_instant("--since", asked.since),
        until=_instant("--until", asked.until),
        seed=asked.seed,
        human=asked.human,
        model=asked.model,
        walk_forward=None if asked.walk_forward is None else _path(asked.walk_forward),
        every_seconds=asked.every_seconds,
        settings=changed,
        assume=assumed_words(asked.assume),
    )


def _path(text: str) -> str:
    """The whole of it, so that a run can be repeated from another folder."""
    return str(Path(text).expanduser().resolve())


def _refuse_beside_again(asked: Asked) -> None:
    if replace(asked, again=None) != _NOTHING_ELSE:
        raise UsageError(
            "Nothing was replayed: --again repeats a run as it was.", do="Leave everything else out."
        )


def _changed(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not value:
        raise UsageError(f"Not replayed: {text!r:.60} sets nothing.", do="Write --set MIN_EDGE=0.02")
    return setting_name(name), value


def _sweep(text: str) -> tuple[str, list[str]]:
    name, values = _changed(text)
    return name, [value.strip() for value in values.split(",") if value.strip()]


def _instant(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"Not replayed: {option} {text!r:.40} is no instant.", do="Write 2026-09-01 or 2026-09-01T12:00Z."
        ) from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else utc(instant)


# -- screens -------------------------------------------------------------------------------------


def _screen(done: Done, columns: int) -> list[str]:
    """One run: what it is worth before what it brought."""
    told = done.told
    money, counts, data = told["money"], told["counts"], told["data"]
    span = f"{told['since'][:16].replace('T', ' ')} to {told['until'][:16].replace('T', ' ')} UTC"
    proposals = (
        f"{counts['openings_proposed']:,} to open and {counts['closes_proposed']:,} to close, "
        f"of {counts['decisions']:,} decisions in {counts['cycles']:,} cycles; {_human(counts)}"
    )
    became = (
        f"{_pusd(money['bankroll_pusd'])} pUSD became {_pusd(money['equity_pusd'])} "
        f"({_signed(money['result_pusd'])}), {_pusd(money['cash_pusd'])} of it cash; "
        f"fees {_pusd(money['fees_pusd'])}"
    )
    facts = [
        ("Fidelity", grade_words(told)),
        *((("Proposals", why_nothing(told)),) if nothing_proposed(told) else ()),
        ("History", f"{data['name']}, {data['markets']:,} markets, {span}"),
        ("Model", model_words(told)),
        *(() if nothing_proposed(told) else (("Proposals", proposals),)),
        ("Orders", f"{counts['orders']:,}, with {counts['fills']:,} fills"),
        ("Money", became),
        ("Worst fall", f"{100 * float(money['worst_drawdown']):.2f} % of the most it was worth"),
        ("Trials", _trials(done)),
    ]
    lines = [line for name, text in facts for line in _fact(name, text, columns)]
    for title, sentences in (
        funnel(told),
        ("Assumed", told["assumed"]),
        ("Not known at its time", told["looks_ahead"]),
        ("Problems", told["problems"]),
    ):
        lines += ["", f"{title}:"] if sentences else []
        lines += [line for each in sentences for line in words.hang(f"- {each}", columns, 2)]
    return [*lines, "", *_last_words(done)]


def _last_words(done: Done) -> list[str]:
    told = done.told
    speed = f"{told['seconds']:.1f} s, {told['decisions_per_second'] or 0:,.0f} decisions a second"
    same = {None: [], True: ["It is the same as before, to the byte."]}.get(
        done.same, ["IT IS NOT THE SAME as before: the program, the history or a setting has changed."]
    )
    return [*same, f"Run {told['id']} in {speed}: {done.folder}"]


def _sweep_screen(done: Sequence[Done], names: Sequence[str], columns: int) -> list[str]:
    heads = [Column(name.upper(), right=True) for name in names]
    rows = [
        [
            *(str(each.told["request"]["settings"][name]) for name in names),
            f"{each.told['counts']['fills']:,}",
            _signed(each.told["money"]["result_pusd"]),
            f"{100 * float(each.told['money']['worst_drawdown']):.2f} %",
            each.told["id"],
        ]
        for each in done
    ]
    worst = max((each.told for each in done), key=lambda told: str(told["fidelity"]))
    return [
        f"Fidelity {grade_words(worst)}",
        "",
        *table((*heads, *_SWEEP_ENDS), rows, columns),
        "",
        *(line for each in _chosen(done) for line in words.wrap(each, columns)),
    ]


def _chosen(done: Sequence[Done]) -> list[str]:
    """What the best of them is worth for having been chosen."""
    runs = [each.told["id"] for each in once(done)]
    return [_trials(done[-1]), *choice_words(judge_choice(done), runs), _UNSEEN]


def _trials(done: Done) -> str:
    return f"{done.trials:,} different {'run' if done.trials == 1 else 'runs'} on this history so far."


def _human(counts: Mapping[str, Any]) -> str:
    told = [
        f"{count:,} {name.removeprefix('human: ').replace('_', ' ')}"
        for name, count in counts.items()
        if name.startswith("human: ")
    ]
    return ", ".join(told) or "nothing was put before the person"


def _fact(name: str, text: str, columns: int) -> list[str]:
    first, *more = words.wrap(text, columns - 13) or [""]
    return [f"{name:<11}  {first}", *(f"{'':<13}{each}" for each in more)]


def _pusd(exact: str) -> str:
    """To the cent; `run.json` and `--json` have every millionth."""
    return wording.money(Decimal(exact))


def _signed(exact: str) -> str:
    return wording.money(Decimal(exact), sign=True)
