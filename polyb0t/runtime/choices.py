"""What the settings turn into: the regime, the limits, the universe and the model."""

from dataclasses import replace
from decimal import Decimal

from polyb0t.config.settings import Settings
from polyb0t.core.errors import ConfigurationError
from polyb0t.core.units import Pusd
from polyb0t.data.universe import UniverseRules
from polyb0t.execution.scope import Regime
from polyb0t.models.calibration import MarketCalibrationModel, packaged_coefficients, parse_coefficients
from polyb0t.models.risk import RiskLimits
from polyb0t.models.signals import ProbabilityModel
from polyb0t.runtime.desk import DeskSettings
from polyb0t.venue.environment import VenueEnvironment

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
    return {"decides_itself": decides_itself(settings)}


def cycle_seconds(settings: Settings) -> float:
    """From the start of one cycle to the next; a paper run has its own pace."""
    return settings.paper_interval_seconds if settings.mode == "paper" else settings.loop_interval_seconds


def risk_limits(settings: Settings) -> RiskLimits:
    """The settings' share of the limits; the rest stands at its default."""
    return replace(
        RiskLimits(),
        order_fraction=settings.max_order_fraction,
        order_max_pusd=settings.max_order_pusd,
        market_fraction=settings.max_market_fraction,
        total_fraction=settings.max_exposure_fraction,
        edge_min=settings.min_edge,
        spread_max=settings.max_spread,
        hours_to_end_min=Decimal(settings.min_hours_to_end),
        drift_fraction=DRIFT_FRACTION,
    )


def universe_rules(settings: Settings) -> UniverseRules:
    """Which markets are watched."""
    denied = frozenset(settings.deny)
    return UniverseRules(
        least_liquidity_pusd=settings.min_liquidity_pusd,
        most_spread=settings.max_spread,
        least_hours_to_end=Decimal(settings.min_hours_to_end),
        most_days_to_end=Decimal(settings.max_days_to_end),
        categories=frozenset(settings.categories),
        denied_slugs=denied,
        denied_tags=denied,
        denied_patterns=tuple(f"*{part}*" for part in settings.deny),
    )


def probability_model(settings: Settings) -> ProbabilityModel:
    """The one model of this version: published coefficients, or a file of the user's own.

    Raises:
        ConfigurationError: the file cannot be read or is not what it should be.
    """
    path = settings.model_file
    if path is None:
        return MarketCalibrationModel(packaged_coefficients())
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
    return MarketCalibrationModel(replace(coefficients, validated=False))


def desk_settings(settings: Settings, regime: Regime, environment: VenueEnvironment) -> DeskSettings:
    return DeskSettings(
        limits=risk_limits(settings),
        regime=regime,
        pretend_cash_pusd=Pusd(settings.bankroll_pusd),
        allow_unvalidated=settings.allow_unvalidated_model or regime is not Regime.LIVE,
        identity_proven=environment.is_sandbox,  # the real venue's proof comes with `doctor`
        prompts_per_hour=settings.prompts_per_hour,
        orders_per_hour=settings.orders_per_hour,
        most_waiting=settings.most_waiting,
        cooldown_seconds=settings.cooldown_seconds,
        spender_of=lambda market: environment.exchange(market.version, neg_risk=market.neg_risk).contract,
    )
