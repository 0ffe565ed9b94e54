"""Line one of every screen: where you are, taken from the engine's own row and never from this shell."""

from dataclasses import dataclass
from datetime import datetime

from polyb0t.cli.terminal import FULL, Paint
from polyb0t.cli.words import fold, spread, width
from polyb0t.core.clock import utc
from polyb0t.execution.scope import LEASE_SECONDS, Regime, Scope, mode_words
from polyb0t.execution.store import LeaseInfo
from polyb0t.models.kill_switches import Stance, SwitchState, overridden, stance_of
from polyb0t.models.wording import clock_time, one_line, span
from polyb0t.runtime.facts import read_facts
from polyb0t.runtime.opened import OpenedStore


@dataclass(frozen=True, slots=True)
class Scene:
    """Venue, mode, wallet, stance and engine at one instant of the database's clock."""

    scope: Scope
    regime: Regime
    stance: Stance
    engine: LeaseInfo | None
    alive: bool
    now: datetime
    trouble: str = ""  # what stops the engine from proposing or sending, in its own sentence
    overridden: tuple[SwitchState, ...] = ()  # tripped, and holding nothing back for now
    decides_itself: bool = False  # a paper run that asks nobody
    too_small: str = ""  # why no order fits this account, and what to do

    @property
    def mode(self) -> str:
        return mode_words(self.scope, self.regime)

    @property
    def real_money(self) -> bool:
        return self.regime is Regime.LIVE and not self.scope.is_sandbox

    @property
    def account(self) -> str:
        """`wallet ..91c4`, with its beginning where real money is; of a paper run who decides in it."""
        name = self.scope.wallet
        if self.scope.is_sandbox or not name.startswith("0x"):
            return account_words(self.scope, decides_itself=self.decides_itself)
        return f"wallet {name[:6]}..{name[-4:]}"

    @property
    def stance_words(self) -> str:
        """`trading allowed`, and until when although which switch is tripped."""
        return f"{self.stance.words}{override_words(self.overridden)}"

    @property
    def beat_seconds(self) -> float:
        """Since the engine was last heard."""
        return (self.now - self.engine.beat_at).total_seconds() if self.engine else 0.0

    @property
    def running(self) -> bool:
        """An engine works here: its process lives, or one elsewhere was heard within the lease time."""
        if self.engine is None or self.engine.released:
            return False
        return self.alive and self.beat_seconds <= LEASE_SECONDS

    @property
    def problem(self) -> str:
        """What a running engine cannot do now; one that has stopped says nothing about now."""
        return one_line(self.trouble) if self.running else ""

    @property
    def engine_words(self) -> str:
        """`engine ok, 4 s ago`, `engine has a problem`, `no engine`, `engine silent for 45 s`."""
        if self.running:
            return "engine has a problem" if self.problem else f"engine ok, {span(self.beat_seconds)} ago"
        if self.alive and self.engine is not None:
            return f"engine silent for {span(self.beat_seconds)}"
        return "no engine"

    @property
    def start(self) -> str:
        """The command that starts an engine here."""
        if self.scope.is_paper:
            return "polyb0t run --paper --sandbox" if self.scope.is_sandbox else "polyb0t run --paper"
        if not self.scope.is_sandbox:
            live = self.regime is Regime.LIVE
            return "polyb0t run --live --no-dry-run" if live else "polyb0t run --live"
        return "make practice" if self.regime is Regime.LIVE else "make run"

    def no_engine(self, then: str) -> str:
        """What a missing engine means for `then`; empty while one runs."""
        if self.running:
            return ""
        if self.engine is None:
            return f"No engine has run here yet. {then}"
        since = f"{clock_time(self.engine.beat_at)[:-4]} ({span(self.beat_seconds)})"
        return f"No engine has run here since {since}. {then}"


def account_words(scope: Scope, *, decides_itself: bool) -> str:
    """`wallet ..91c4`; a paper account has no wallet, and who decides in it is what has to be seen."""
    if scope.is_paper:
        return "decides by itself" if decides_itself else "you decide"
    return f"wallet ..{scope.wallet[-4:]}"


def override_words(switches: tuple[SwitchState, ...]) -> str:
    """`, DAILY_LOSS overridden until 14:46`; empty where nothing is."""
    return "".join(
        f", {state.type.value} overridden until {utc(state.override.until):%H:%M}"
        for state in switches
        if state.override is not None
    )


def look(opened: OpenedStore) -> Scene:
    """The scene as the database tells it now."""
    engine = opened.engine()
    facts = read_facts(engine)
    switches = tuple(opened.stores.switches.list())
    return Scene(
        scope=opened.scope,
        regime=engine.regime if engine else opened.regime(),
        stance=stance_of(switches),
        overridden=overridden(switches),
        engine=engine,
        alive=opened.engine_alive(),
        now=opened.stores.intents.now(),
        trouble=facts.problem,
        decides_itself=facts.decides_itself,
        too_small=f"{facts.risk.too_small} {facts.risk.remedy}".strip() if facts.risk else "",
    )


def context_line(scene: Scene, paint: Paint, columns: int, right: str | None = None) -> str:
    """Mode, wallet, stance and engine; at the right the time, or what a screen puts there."""
    mode = paint.red(scene.mode) if scene.real_money else scene.mode
    free = scene.stance is Stance.ACTIVE and not scene.overridden
    stance = scene.stance_words if free else paint.yellow(scene.stance_words)
    well = scene.running and not scene.problem
    engine = scene.engine_words if well else paint.yellow(scene.engine_words)
    gap = "   " if columns >= FULL else "  "
    parts = [mode, scene.account, stance, engine]
    end = clock_time(scene.now) if right is None else right
    if columns < FULL or width(gap.join([*parts, end])) > columns:
        last = gap.join([*parts[2:], end])
        if width(last) > columns:  # an override makes the stance long
            painted = [
                stance if line == scene.stance_words else line for line in fold(scene.stance_words, columns)
            ]
            last = "\n".join([*painted, gap.join([engine, end])])
        return "\n".join([gap.join(parts[:2]), last])
    return spread(gap.join(parts), end, columns - 2)


def disagreement(scene: Scene, opened: OpenedStore) -> str:
    """One line when this shell's own settings say something else than the engine does; else empty."""
    given = opened.settings.model_fields_set
    if "dry_run" not in given or scene.regime is Regime.PAPER:
        return ""
    here = Regime.DRY_RUN if opened.settings.dry_run else Regime.LIVE
    if here is scene.regime or scene.engine is None:
        return ""
    says = "false" if here is Regime.LIVE else "true"
    return f"This shell has POLYBOT_DRY_RUN={says}; what counts is the engine's row: {scene.mode}."
