"""The folder of backtests: running a request, repeating one, and every combination of a sweep.

<data_dir>/backtests/<id>/   run.json  decisions.jsonl  equity.csv  book.db
<data_dir>/backtests/trials  one line for each different run on a history, never shortened
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any, Final

from polyb0t.config.settings import Settings, load_settings
from polyb0t.core.clock import SystemClock
from polyb0t.core.errors import ConfigurationError, NotFoundError
from polyb0t.core.files import write_durably
from polyb0t.research.cards.shelf import Shelf
from polyb0t.research.history.past_markets import History, read_history
from polyb0t.research.replay.assuming import assumptions_from
from polyb0t.research.replay.opening import open_tape
from polyb0t.research.replay.refits import walk_forward_models
from polyb0t.research.replay.tape import Tape
from polyb0t.research.replay.tree_refits import MonthlyTrees
from polyb0t.runtime.logging import keep_quiet
from polyb0t.runtime.modelling import model_place
from polyb0t.runtime.places import data_dir, models_folder
from polyb0t.runtime.replay.people import person
from polyb0t.runtime.replay.request import RECORDED, Request
from polyb0t.runtime.replay.running import RUN, Past, Tell, run_into, say_nothing
from polyb0t.runtime.replay.settings import replay_settings
from polyb0t.runtime.replay.speakers import MONTHLY, TREES, Speaker, speaker
from polyb0t.runtime.replay.sweeping import in_processes

FOLDER: Final = "backtests"
TRIALS: Final = "trials"


@dataclass(frozen=True, slots=True)
class Done:
    """A run that was made: what `run.json` says, whether it repeats an earlier one (None: there was none),
    and how many different runs were made on this history by now, this one among them."""

    told: Mapping[str, Any]
    same: bool | None
    folder: Path
    trials: int


@dataclass(frozen=True, slots=True)
class Backtests:
    """Everything that was replayed here. `flags` are those of the command; `tell` is told how far it is."""

    flags: Mapping[str, Any]
    tell: Tell = say_nothing

    @property
    def folder(self) -> Path:
        return data_dir(replay_settings(self.flags, {})) / FOLDER

    def run(self, request: Request) -> Done:
        """Replay it, and count it.

        Raises:
            PolybotError: the history, the model or a setting cannot be used; nothing is left behind.
        """
        return self._counted(*_run(self.flags, request, self.folder, self.tell))

    def sweep(self, requests: Sequence[Request], jobs: int) -> list[Done]:
        """Replay each, `jobs` at a time in processes of their own; in the order of the requests.

        Raises:
            PolybotError: as `run`; a setting that cannot be used in one of them is found before any runs.
            ConflictError: `sweep_broken`. What was finished is kept and counted.
        """
        for request in requests:
            replay_settings(self.flags, request.settings)
        if jobs == 1 or len(requests) == 1:
            return [self._of_several(number, requests) for number in range(len(requests))]
        return in_processes(
            _run,
            [(self.flags, request, self.folder) for request in requests],
            jobs,
            keep=lambda made: self._counted(*made),
            tell=lambda done: self.tell(f"Replaying: {done} of {len(requests)} runs are done"),
        )

    def _of_several(self, number: int, requests: Sequence[Request]) -> Done:
        place = f"{number + 1} of {len(requests)}: " if len(requests) > 1 else ""
        return replace(self, tell=lambda text: self.tell(f"{place}{text}")).run(requests[number])

    def request_of(self, prefix: str) -> Request:
        """What was asked of the run that begins with `prefix`, with every setting as it was then.

        Raises:
            NotFoundError: none does, or several do.
        """
        told = self.told(prefix)
        settings = {name: _text(value) for name, value in told["settings"].items() if value is not None}
        settings.pop("mode", None)
        return replace(Request.from_dict(told["request"]), settings=settings)

    def told(self, prefix: str) -> dict[str, Any]:
        """The `run.json` of the run that begins with `prefix`. Raises NotFoundError."""
        found = sorted(path.parent for path in self.folder.glob(f"{prefix}*/{RUN}"))
        if len(found) != 1:
            what = "No backtest begins" if not found else f"{len(found)} backtests begin"
            raise NotFoundError(
                f"{what} with {prefix!r:.40}.", do="See them: polyb0t backtest list", code="no_backtest"
            )
        told: dict[str, Any] = json.loads((found[0] / RUN).read_text("utf-8"))
        return told

    def all(self) -> list[dict[str, Any]]:
        """The `run.json` of every run that is here, by the time that was replayed."""
        found = [json.loads(path.read_text("utf-8")) for path in sorted(self.folder.glob(f"*/{RUN}"))]
        return sorted(found, key=lambda told: (told["since"], told["until"], told["id"]))

    def _counted(self, told: Mapping[str, Any], same: bool | None) -> Done:
        path = self.folder / TRIALS
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        line = json.dumps({"data": told["data"]["hash"], "id": told["id"]})
        if line not in lines:
            lines.append(line)
            write_durably(path, "".join(f"{each}\n" for each in lines))
        trials = sum(json.loads(each)["data"] == told["data"]["hash"] for each in lines)
        return Done(told, same, self.folder / told["id"], trials)


def combinations(request: Request, sweeps: Mapping[str, Sequence[str]]) -> list[Request]:
    """The request with every combination of the settings' values."""
    names = list(sweeps)
    return [
        replace(request, settings={**request.settings, **dict(zip(names, values, strict=True))})
        for values in product(*sweeps.values())
    ]


def past_of(flags: Mapping[str, Any], request: Request) -> Past:
    """Everything that a request names, opened. Raises as `Backtests.run`."""
    settings = replay_settings(flags, request.settings)
    tape = tape_of(settings, request)
    since = request.since or tape.about.starts
    return Past(
        request,
        settings,
        tape,
        _speaker(settings, request, since, hears=bool(tape.about.sources)),
        person(request.human, load_settings(**flags)),  # who decides does so in the account of the command
    )


def _speaker(settings: Settings, request: Request, since: datetime, *, hears: bool) -> Speaker:
    if request.walk_forward is None:
        return speaker(settings, request.model, since, hears=hears)
    path = Path(request.walk_forward)
    tried = Shelf(models_folder(settings, settings.venue)).trials()
    trees = request.model == TREES
    fit = MonthlyTrees if trees else walk_forward_models
    months = fit(_history(path), venue=settings.venue, trials=max(1, tried))
    spoken = speaker(settings, request.model, since, months, hears=hears)
    way = f"{MONTHLY} of boosted trees" if trees else MONTHLY
    return replace(spoken, told=lambda: f"{way} on {path.name}, {months.licences()}")


def _run(
    flags: Mapping[str, Any], request: Request, folder: Path, tell: Tell = say_nothing
) -> tuple[dict[str, Any], bool | None]:
    keep_quiet()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return run_into(past_of(flags, request), folder, SystemClock(), tell)


def tape_of(settings: Settings, request: Request) -> Tape:
    """The history that a request names. Raises as `Backtests.run`."""
    ends, assumed = None if request.ends is None else Path(request.ends), assumptions_from(request.assume)
    if request.tapes == (RECORDED,):
        collected = model_place(settings).history
        if ends is None and collected.exists():
            ends = collected
        return open_tape([_recording(settings)], assumed, ends=ends)
    return open_tape([Path(tape).expanduser() for tape in request.tapes], assumed, ends=ends)


def _recording(settings: Settings) -> Path:
    """The newest recording of the venue."""
    found = _newest_first(data_dir(settings).glob(f"{settings.venue}-*/record"))
    if not found:
        raise NotFoundError(
            f"Nothing was recorded of {settings.venue} here.",
            why=f"Looked in {data_dir(settings)}.{_recorded_elsewhere(settings)}",
            do="An engine records while it runs: polyb0t run. Or give a file: polyb0t backtest run FILE",
            code="no_history",
        )
    return found[0]


def _recorded_elsewhere(settings: Settings) -> str:
    """Of which other venue there is a recording, and how it is named."""
    others = {folder.parent.name.partition("-")[0] for folder in data_dir(settings).glob("*-*/record")}
    return "".join(
        f" There is one of {name}: polyb0t --venue {name} backtest run recorded" for name in sorted(others)
    )


def _newest_first(folders: Iterable[Path]) -> list[Path]:
    return sorted(folders, key=lambda folder: folder.stat().st_mtime, reverse=True)


def _history(path: Path) -> History:
    if path.suffix == ".parquet":
        raise ConfigurationError(
            f"{path.name} was not used.",
            why="It is Parquet, which does not say when its markets were to end: nothing could be licensed.",
            do="Give --walk-forward a file of polyb0t model collect.",
            code="history_file",
        )
    return read_history(path.expanduser())


def _text(value: Any) -> str:
    """A setting as its parser takes it."""
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
