"""What the settings turn into: the regime, the limits, the universe and the model."""

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from polyb0t.config.settings import Settings
from polyb0t.core.errors import ConfigurationError
from polyb0t.core.units import Pusd
from polyb0t.data.declared_links import NO_LINKS, DeclaredLinks, links_file_refused, parse_links
from polyb0t.data.deny_list import DenyList
from polyb0t.data.universe import UniverseRules
from polyb0t.execution.scope import Regime
from polyb0t.models.calibration import (
    Coefficients,
    MarketCalibrationModel,
    packaged_coefficients,
    parse_coefficients,
)
from polyb0t.models.coherence import CoherenceModel
from polyb0t.models.execution_choice import ExecutionRules
from polyb0t.models.exit_rules import ExitRules, ExitTrigger
from polyb0t.models.independent import IndependentModel, source_of
from polyb0t.models.pool_weights import parse_weights
from polyb0t.models.pooling import UNEARNED, PooledModel, Weights
from polyb0t.models.risk import RiskLimits
from polyb0t.models.signals import IdentityModel, ProbabilityModel, Remembering, model_id
from polyb0t.models.switch_rules import Thresholds
from polyb0t.research.cards.active import (
    active_coefficients,
    active_trees,
    active_weights,
    unusable_model,
)
from polyb0t.runtime.desk import DeskSettings
from polyb0t.runtime.limit_book import LimitSettings
from polyb0t.runtime.places import models_folder
from polyb0t.runtime.thresholds import FACT, thresholds_fact, thresholds_of
from polyb0t.venue.environment import VenueEnvironment

if TYPE_CHECKING:
    from polyb0t.research.challengers.kept import KeptTrees

DRIFT_FRACTION = Decimal("0.02")  # a fill elsewhere moves the bankroll while a proposal waits


def regime_of(settings: Settings) -> Regime:
    """What the settings ask for."""
    if settings.mode == "paper":
        return Regime.PAPER
    return Regime.DRY_RUN if settings.dry_run else Regime.LIVE


def decides_itself(settings: Settings) -> bool:
    """Whether this run asks nobody: a paper run, unless its owner wants to decide."""
    return settings.mode == "paper" and settings.paper_auto_approve


def always_known(settings: Settings) -> dict[str, object]:
    """What an engine publishes of its settings: a screen never takes them from its own shell."""
    return {
        "decides_itself": decides_itself(settings),
        "cancel_on_halt": settings.cancel_on_halt,
        "prompts_per_hour": settings.prompts_per_hour,
        FACT: thresholds_fact(settings),
    }


def cycle_seconds(settings: Settings) -> float:
    """From the start of one cycle to the next; a paper run has its own pace."""
    return settings.paper_interval_seconds if settings.mode == "paper" else settings.loop_interval_seconds


def risk_limits(settings: Settings) -> RiskLimits:
    """The settings' share of the limits; the rest stands at its default."""
    return RiskLimits(
        order_fraction=settings.max_order_fraction,
        order_max_pusd=settings.max_order_pusd,
        market_fraction=settings.max_market_fraction,
        event_fraction=settings.max_event_fraction,
        theme_fraction=settings.max_theme_fraction,
        category_fraction=settings.max_category_fraction,
        far_fraction=settings.max_far_fraction,
        dependent_fraction=settings.max_dependent_fraction,
        total_fraction=settings.max_exposure_fraction,
        tail_fraction=settings.max_tail_fraction,
        cash_floor_fraction=settings.cash_floor_fraction,
        budget_pusd=settings.budget_pusd,
        open_orders_max=Decimal(settings.max_open_orders),
        open_fraction=settings.max_open_orders_fraction,
        turnover_multiple=settings.max_daily_turnover,
        orders_hour_max=Decimal(settings.orders_per_hour),
        drawdown_fraction=settings.drawdown_fraction,
        edge_min=settings.min_edge,
        edge_suspicious=settings.suspicious_edge,
        spread_max=settings.max_spread,
        hours_to_end_min=Decimal(settings.min_hours_to_end),
        drift_fraction=DRIFT_FRACTION,
    )


def exit_rules(settings: Settings) -> ExitRules:
    """When a held position is proposed to be sold."""
    switches = {
        ExitTrigger.TAKE_PROFIT: settings.exit_take_profit,
        ExitTrigger.STOP_LOSS: settings.exit_stop_loss,
        ExitTrigger.TIME: settings.exit_time,
        ExitTrigger.LIQUIDITY: settings.exit_liquidity,
        ExitTrigger.EDGE_GONE: settings.exit_edge_gone,
    }
    return ExitRules(
        enabled=frozenset(trigger for trigger, on in switches.items() if on),
        take_profit_fraction=settings.exit_take_profit_fraction,
        stop_loss_fraction=settings.exit_stop_loss_fraction,
        time_hours=Decimal(settings.exit_time_hours),
        spread_multiple=settings.exit_spread_multiple,
        depth_fraction=settings.exit_depth_fraction,
        liquidity_seconds=Decimal(settings.exit_liquidity_seconds),
        edge_gone_pusd=settings.exit_edge_gone_pusd,
    )


def switch_thresholds(settings: Settings) -> Thresholds:
    """Where the kill switches trip."""
    return Thresholds(
        drawdown_fraction=settings.drawdown_fraction,
        daily_loss_fraction=settings.daily_loss_fraction,
        stale_seconds=settings.stale_data_seconds,
        spread_multiple=settings.spread_anomaly_multiple,
        api_error_fraction=settings.api_error_fraction,
        api_least_calls=settings.api_error_least_calls,
        api_window_seconds=settings.api_error_window_seconds,
    )


def limit_settings(settings: Settings, regime: Regime) -> LimitSettings:
    """The lists and phases. Orders begin small where they are real and their money is, too."""
    real = regime is Regime.LIVE and not settings.is_sandbox
    model = probability_model(settings)
    return LimitSettings(
        deny=DenyList(settings.deny),
        active_model=model_id(model.name, model.version),
        small_orders=settings.small_orders if real else 0,
        small_order_pusd=Pusd(settings.small_order_pusd),
    )


def declared_links(settings: Settings) -> DeclaredLinks:
    """What the user declared of markets that belong together.

    Raises:
        ConfigurationError: the file cannot be read or is not what it should be.
    """
    if settings.links_file is None:
        return NO_LINKS
    try:
        return parse_links(settings.links_file.expanduser().read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise links_file_refused(f"It cannot be read: {error}") from None


def universe_rules(settings: Settings) -> UniverseRules:
    """Which markets are watched."""
    return UniverseRules(
        least_liquidity_pusd=settings.min_liquidity_pusd,
        most_spread=settings.max_spread,
        least_hours_to_end=Decimal(settings.min_hours_to_end),
        most_days_to_end=Decimal(settings.max_days_to_end),
        categories=frozenset(settings.categories),
        deny=DenyList(settings.deny),
    )


def probability_model(
    settings: Settings,
    base: ProbabilityModel | None = None,
    *,
    weights: Weights = UNEARNED,
    hears: bool = False,
) -> ProbabilityModel:
    """The model that speaks, with the components that it hears; `base` in place of the settings' own.

    Whoever brings a base replays the past, and brings the `weights` that were earned before it as well: those
    of today have learnt from it. `hears`: others are heard although no setting says where they speak.

    Raises:
        ConfigurationError: a file that it is made of cannot be read or is not what it should be.
    """
    links = declared_links(settings)
    if base is None:
        weights = pool_weights(settings)
        base = IdentityModel() if settings.model == "identity" else _spoken(settings)
    components: list[ProbabilityModel] = [CoherenceModel(links)]
    if hears or settings.independent_file is not None or settings.independent_url is not None:
        components += independent_models(weights)
    return PooledModel(base, components, weights, links)


def pool_weights(settings: Settings) -> Weights:
    """What the components have earned on this venue; nothing where none was activated.

    Raises:
        ConfigurationError: the active weights cannot be used.
    """
    text = active_weights(models_folder(settings, settings.venue))
    return UNEARNED if text is None else parse_weights(text, settings.venue)


def independent_models(weights: Weights) -> list[ProbabilityModel]:
    """One for each source that has earned a weight, and one for all the others, which has none."""
    earned = sorted(source for name in weights.components if (source := source_of(name)) is not None)
    return [*(IndependentModel(source) for source in earned), IndependentModel(without=earned)]


def remembering(model: ProbabilityModel) -> Remembering | None:
    """The model inside of `model` that has to be shown every instant; None where it needs no past."""
    base = model.base if isinstance(model, PooledModel) else model
    return base if isinstance(base, Remembering) else None


def _spoken(settings: Settings) -> ProbabilityModel:
    kept = active_kept(settings)
    return MarketCalibrationModel(calibration_coefficients(settings)) if kept is None else boosted(kept)


def active_kept(settings: Settings) -> "KeptTrees | None":
    """The activated trees of this venue; None where a calibration speaks.

    Raises:
        ConfigurationError: they cannot be used here, or were fitted on another venue.
    """
    if settings.model_file is not None:
        return None  # a file of the user's own comes first
    text = active_trees(models_folder(settings, settings.venue))
    return None if text is None else kept_trees(text, settings.venue)


def kept_trees(text: str, venue: str) -> "KeptTrees":
    """The trees of a file, for a venue.

    Raises:
        ConfigurationError: they cannot be used here, or were fitted on another venue.
    """
    from polyb0t.research.challengers.kept import read_kept  # noqa: PLC0415 - slow, and only where trees are

    kept = read_kept(text)
    if kept.venue != venue:
        raise unusable_model(f"It was fitted on {kept.venue or 'no venue'}, not on {venue}")
    return kept


def boosted(kept: "KeptTrees") -> ProbabilityModel:
    """The model that asks them. It has a memory of its own."""
    from polyb0t.research.challengers.speaking import BoostedModel  # noqa: PLC0415 - as above

    return BoostedModel(kept)


def calibration_coefficients(settings: Settings) -> Coefficients:
    """A file of the user's own, else those of the activated model of ours, else the published ones.

    Raises:
        ConfigurationError: as `probability_model`.
    """
    path = settings.model_file
    if path is None:
        return _fitted_here(settings) or packaged_coefficients()
    try:
        coefficients = parse_coefficients(path.expanduser().read_text(encoding="utf-8"))
    except (OSError, ValueError, ConfigurationError) as error:
        raise ConfigurationError(
            f"Not started: POLYBOT_MODEL_FILE names {path}, which cannot be used.",
            why=error.why if isinstance(error, ConfigurationError) else f"{error}.",
            do="Correct it, or leave the setting out to use the published coefficients.",
            code="model_file",
        ) from None
    # Only a test on own data validates; what a file says of itself does not count.
    return replace(coefficients, validated=False)


def _fitted_here(settings: Settings) -> Coefficients | None:
    """Those of the active model of this venue; None when none is active.

    Raises:
        ConfigurationError: it cannot be used, or was fitted on another venue.
    """
    text = active_coefficients(models_folder(settings, settings.venue))
    if text is None:
        return None
    try:
        coefficients = parse_coefficients(text)
        if coefficients.venue != settings.venue:
            raise unusable_model(
                f"It was fitted on {coefficients.venue or 'no venue'}, not on {settings.venue}"
            )
    except ConfigurationError as error:
        raise error if error.code == "model_file" else unusable_model(error.why.rstrip(".")) from None
    return coefficients


def desk_settings(
    settings: Settings, regime: Regime, environment: VenueEnvironment, *, signature_type: int | None = None
) -> DeskSettings:
    """`signature_type` is the wallet's own, where it is known better than the settings know it."""
    return DeskSettings(
        limits=risk_limits(settings),
        regime=regime,
        pretend_cash_pusd=Pusd(settings.bankroll_pusd),
        allow_unvalidated=settings.allow_unvalidated_model or regime is not Regime.LIVE,
        identity_proven=environment.is_sandbox,  # elsewhere a test order proves it, contract by contract
        signature_type=settings.signature_type if signature_type is None else signature_type,
        prompts_per_hour=settings.prompts_per_hour,
        prompts_per_day=settings.prompts_per_day,
        decide_seconds=settings.intent_expiry_seconds,
        book=limit_settings(settings, regime),
        most_waiting=settings.most_waiting,
        cooldown_seconds=settings.cooldown_seconds,
        reentry_hours=settings.reentry_hours,
        execution=ExecutionRules(settings.execution == "auto", settings.resting_seconds),
        thresholds=thresholds_of(settings, regime),
        spender_of=lambda market: environment.exchange(market.version, neg_risk=market.neg_risk).contract,
    )
