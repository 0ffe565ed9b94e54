"""Every setting: its unit in its name, its bound in its type, its meaning in its description.

Read from flags, then `POLYBOT_*` in the environment, then `.env`, then the defaults here; on the
sandbox some defaults are others (`SANDBOX_DEFAULTS`). Secrets are not settings: the signing key is
read from `POLYBOT_PRIVATE_KEY` by the one process that signs, and by nothing else.
"""

import ipaddress
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from polyb0t.config.crossings import refuse_crossings
from polyb0t.config.refusals import PREFIX as PREFIX  # noqa: PLC0414 - of the settings' names
from polyb0t.config.refusals import impossible, refuse_unknown_names
from polyb0t.core.errors import ConfigurationError

Fraction = Annotated[Decimal, Field(gt=0, le=1)]
PartOf = Annotated[Decimal, Field(gt=0, lt=1)]  # a fraction that is never the whole
Cents = Annotated[Decimal, Field(gt=0, lt=1)]  # pUSD per share
PusdAmount = Annotated[Decimal, Field(gt=0, le=Decimal(1_000_000_000), decimal_places=6)]
Seconds = Annotated[float, Field(gt=0, le=86_400 * 7)]


def _names(value: object) -> object:
    """A comma-separated text as a tuple of lower-case names."""
    if isinstance(value, str):
        return tuple(part.strip().lower() for part in value.split(",") if part.strip())
    return value


def _digit(value: object) -> object:
    """The environment knows only texts, and a Literal takes none for a number."""
    return int(value) if isinstance(value, str) and value.strip() in ("0", "1", "2", "3") else value


def _networks(value: object) -> object:
    """A comma-separated text as networks in their plain form."""
    parts = _names(value)
    if not isinstance(parts, tuple):
        return parts
    return tuple(str(ipaddress.ip_network(str(part), strict=False)) for part in parts)


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
Networks = Annotated[tuple[str, ...], BeforeValidator(_networks)]
SignatureType = Annotated[Literal[0, 1, 2, 3], BeforeValidator(_digit)]

SANDBOX_DEFAULTS: Final[Mapping[str, Any]] = {
    "intent_expiry_seconds": 180,
    "allow_unvalidated_model": True,
    "cooldown_seconds": 45,
    "prompts_per_hour": 240,
    "prompts_per_day": 10_000,
    "orders_per_hour": 240,
    "max_open_orders": 200,
    "max_daily_turnover": Decimal(20),
    "min_liquidity_pusd": Decimal(100),
    "bankroll_pusd": Decimal(10_000),
    "paper_interval_seconds": 5,
    "paper_delay_seconds": 0.2,
    "record_retention_days": 7,
    "claim_confirmations": 1,
}


# Shorter than these, an order could be taken for dead that is still on its way.
SAFE_SECONDS: Final[Mapping[str, float]] = {
    "lease_seconds": 30,
    "post_budget_seconds": 10,
    "proof_delay_seconds": 60,
    "proof_apart_seconds": 10,
}


class Settings(BaseSettings):
    """All settings, validated once, then never changed."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True, enable_decoding=False
    )

    venue: Literal["polymarket", "sandbox"] = Field(
        "polymarket", description="Where to trade: the real venue or the sandbox on this machine."
    )
    mode: Literal["paper", "live"] = Field(
        "live",
        description="paper simulates an account; live follows the real one (dry run unless DRY_RUN=false).",
    )
    dry_run: bool = Field(
        default=True, description="true: approved trades are noted, nothing is signed or sent."
    )
    sandbox_url: str = Field("http://127.0.0.1:8137", description="Where the sandbox listens.")
    data_dir: Path | None = Field(
        None, description="Where databases, credentials and the log lie; the user's data directory if unset."
    )
    database_url: str | None = Field(
        None, description="SQLAlchemy URL of the database; one SQLite file per venue and wallet if unset."
    )
    wallet_address: str | None = Field(
        None,
        pattern=r"^0x[0-9a-fA-F]{40}$",
        description="The wallet that holds the money; on the sandbox the first practice account if unset.",
    )
    signature_type: SignatureType = Field(
        3,
        description="Kind of wallet: 0 plain EOA, 1 proxy, 2 Safe, 3 deposit wallet; "
        "on the sandbox, if unset, the practice account's own.",
    )
    bankroll_pusd: PusdAmount = Field(
        Decimal(1000),
        description="Pretend cash, in pUSD: what a dry run sizes against, and what a paper account is opened "
        "with at its first start.",
    )
    paper_auto_approve: bool = Field(
        default=True,
        description="Paper only: true decides every proposal by itself, false leaves each to you.",
    )
    paper_interval_seconds: Seconds = Field(
        60, description="Paper only: from the start of one cycle to the next."
    )
    paper_delay_seconds: Annotated[float, Field(ge=0, le=60)] = Field(
        1.0, description="Paper only: how long a simulated order is on its way before it meets the book."
    )
    allow_unvalidated_model: bool = Field(
        default=False,
        description="Whether live may propose trades of a model that has not been tested on own data.",
    )

    model: Literal["identity", "calibration"] = Field(
        "calibration",
        description="Which model speaks: calibration corrects prices by how those of their kind were wrong "
        "before, or lets the activated model of your own speak, of whatever kind; identity takes every "
        "price as right and proposes nothing.",
    )
    model_file: Path | None = Field(
        None,
        description="Coefficients of the market calibration; the published ones of the program if unset. "
        "A file of your own is always unvalidated.",
    )
    links_file: Path | None = Field(
        None,
        description="Links between markets that you declare (TOML, docs/models.md); none if unset.",
    )

    independent_file: Path | None = Field(
        None,
        description="Probabilities from outside, as lines of JSON or CSV (docs/models.md); none if unset. "
        "They count for what their source has earned, at first for nothing.",
    )
    independent_url: str | None = Field(
        None,
        max_length=2_000,
        pattern=r"^(https://[^\s@]+|http://(127\.0\.0\.1|localhost|\[::1\])([:/][^\s@]*)?)$",
        description="The same from a page: https, or http on this machine. Redirects are not followed.",
    )
    independent_max_age_hours: Annotated[int, Field(ge=1, le=24 * 30)] = Field(
        24, description="An older probability from outside is not used."
    )
    independent_read_seconds: Annotated[float, Field(ge=5, le=86_400)] = Field(
        60, description="How often file and page are read."
    )

    loop_interval_seconds: Seconds = Field(10, description="From the start of one cycle to the next.")
    execution_poll_seconds: Annotated[float, Field(ge=0.05, le=10)] = Field(
        0.2, description="How often the executor looks for approved intents when nothing wakes it."
    )
    market_refresh_seconds: Seconds = Field(
        300, description="How often the catalogue of markets is read anew."
    )
    reconcile_seconds: Seconds = Field(
        60, description="How often account and orders are compared when nothing is open."
    )
    intent_expiry_seconds: Annotated[int, Field(ge=5, le=86_400)] = Field(
        60, description="Time to decide on an opening."
    )
    close_expiry_seconds: Annotated[int, Field(ge=5, le=86_400)] = Field(
        600, description="Time to decide on a close."
    )
    cancel_expiry_seconds: Annotated[int, Field(ge=5, le=86_400)] = Field(
        600, description="Time to decide on a proposed cancel."
    )
    execution_grace_seconds: Annotated[int, Field(ge=0, le=300)] = Field(
        10, description="How long after a late approval it may still be sent."
    )
    lease_seconds: Annotated[float, Field(ge=1, le=300)] = Field(
        30,
        description="An engine that is silent for so long may be replaced; the same for all of a wallet. "
        "Less only on the sandbox.",
    )
    post_budget_seconds: Annotated[float, Field(ge=0.5, le=10)] = Field(
        10,
        description="How long one order may take from its permit to its answer, at most half a lease. "
        "Less only on the sandbox.",
    )
    proof_delay_seconds: Annotated[float, Field(ge=1, le=3_600)] = Field(
        60,
        description="An order that the exchange does not know may still arrive for so long, at least twice "
        "POST_BUDGET_SECONDS. Less only on the sandbox.",
    )
    proof_apart_seconds: Annotated[float, Field(ge=0.1, le=600)] = Field(
        10,
        description="Between the two looks that prove its absence. Less only on the sandbox.",
    )
    cooldown_seconds: Annotated[int, Field(ge=0, le=86_400)] = Field(
        900,
        description="How long an idea rests after it was rejected, expired, failed or noted in a dry run.",
    )
    execution: Literal["taker", "auto"] = Field(
        "taker",
        description="How openings are executed: taker takes what is offered; auto also lets a purchase rest, "
        "post-only and for a stated time, where the signal is slow and that is worth more.",
    )
    resting_seconds: Annotated[int, Field(ge=600, le=21_600)] = Field(
        7_200, description="How long a purchase that rests may rest."
    )
    prompts_per_hour: Annotated[int, Field(ge=1, le=10_000)] = Field(
        6, description="At most so many new proposals an hour."
    )
    prompts_per_day: Annotated[int, Field(ge=1, le=100_000)] = Field(
        30, description="At most so many new proposals in 24 hours."
    )
    most_waiting: Annotated[int, Field(ge=1, le=100)] = Field(
        5, description="At most so many proposals wait at a time."
    )
    orders_per_hour: Annotated[int, Field(ge=1, le=10_000)] = Field(
        6, description="At most so many orders an hour."
    )

    min_liquidity_pusd: Annotated[Decimal, Field(ge=0)] = Field(
        Decimal(1000), description="Markets with less liquidity are not watched, in pUSD."
    )
    max_spread: Cents = Field(
        Decimal("0.03"), description="Markets with a wider spread are not traded, in pUSD per share."
    )
    min_hours_to_end: Annotated[int, Field(ge=0)] = Field(
        72, description="Markets that end sooner are not opened: the time exit plus a day."
    )
    max_days_to_end: Annotated[int, Field(ge=1)] = Field(
        365, description="Markets that end later are not opened."
    )
    categories: Names = Field((), description="Only these categories, comma-separated; empty means all.")
    deny: Names = Field(
        (),
        description="Never traded, comma-separated: condition ids, event ids, categories, tags, slugs, "
        "parts of a slug or of a question.",
    )
    max_markets: Annotated[int, Field(ge=1, le=5000)] = Field(
        500, description="At most so many markets are watched, the most liquid first."
    )

    min_edge: Cents = Field(
        Decimal("0.015"),
        description="Least edge at the worst price after fee and reserve, in pUSD per share.",
    )
    max_order_fraction: Fraction = Field(Decimal("0.01"), description="Largest order, of the bankroll.")
    max_market_fraction: Fraction = Field(
        Decimal("0.02"), description="Most at risk in one market, of the bankroll."
    )
    max_event_fraction: Fraction = Field(
        Decimal("0.04"), description="Most at risk on one event, of the bankroll."
    )
    max_theme_fraction: Fraction = Field(
        Decimal("0.08"),
        description="Most at risk on one theme (a tag narrower than a category), of the bankroll.",
    )
    max_category_fraction: Fraction = Field(
        Decimal("0.2"), description="Most at risk in one category, of the bankroll."
    )
    max_far_fraction: Fraction = Field(
        Decimal("0.15"),
        description="Most at risk in markets that end more than 90 days from now, of the bankroll.",
    )
    max_dependent_fraction: Fraction = Field(
        Decimal("0.25"),
        description="Most at risk in trades for which only the market's own price was corrected, of the "
        "bankroll.",
    )
    max_exposure_fraction: Fraction = Field(
        Decimal("0.5"), description="Most at risk in all, of the bankroll."
    )
    max_tail_fraction: Fraction = Field(
        Decimal("0.08"),
        description="Most that all positions may lose together in the worst twentieth of cases, of the "
        "bankroll.",
    )
    cash_floor_fraction: Annotated[Decimal, Field(ge=0, lt=1)] = Field(
        Decimal("0.2"), description="Cash that always stays, of the bankroll."
    )
    budget_pusd: PusdAmount | None = Field(
        None,
        description="The most of the wallet's pUSD that may be used, losses counted; all of it if unset. "
        "The bankroll is no larger.",
    )
    max_open_orders: Annotated[int, Field(ge=1, le=1_000)] = Field(
        20, description="At most so many orders under way at a time."
    )
    max_open_orders_fraction: Fraction = Field(
        Decimal("0.2"), description="Most that orders under way may cost together, of the bankroll."
    )
    max_daily_turnover: Annotated[Decimal, Field(gt=0, le=100)] = Field(
        Decimal("0.5"), description="Most bought in a UTC day, in bankrolls."
    )
    small_orders: Annotated[int, Field(ge=1, le=1_000)] = Field(
        20,
        description="Real money only: orders that have to settle as predicted before one may be larger "
        "than SMALL_ORDER_PUSD.",
    )
    small_order_pusd: PusdAmount = Field(
        Decimal(5), description="Real money only: largest order until then, in pUSD."
    )
    suspicious_edge: Cents = Field(
        Decimal("0.08"),
        description="A larger edge means that a quote, a rule or the model is wrong, in pUSD per share.",
    )
    max_order_pusd: PusdAmount = Field(
        Decimal(250), description="Largest order, in pUSD, whatever the bankroll."
    )

    drawdown_fraction: Fraction = Field(
        Decimal("0.15"), description="DRAWDOWN trips when equity is so far under its peak: closes only."
    )
    daily_loss_fraction: Fraction = Field(
        Decimal("0.1"), description="DAILY_LOSS trips when so much was lost since 00:00 UTC: closes only."
    )
    stale_data_seconds: Annotated[Decimal, Field(ge=15, le=3_600)] = Field(
        Decimal(60),
        description="STALE_DATA trips when no price was confirmed for so long: closes only. A quiet price "
        "is read anew after 12 s.",
    )
    spread_anomaly_multiple: Annotated[Decimal, Field(gt=1, le=100)] = Field(
        Decimal(3),
        description="SPREAD_ANOMALY trips when spreads are so many times the usual: closes only.",
    )
    api_error_fraction: Fraction = Field(
        Decimal("0.5"),
        description="API_ERROR_RATE trips when more of the calls to one host fail: cancels only.",
    )
    api_error_least_calls: Annotated[int, Field(ge=1, le=100_000)] = Field(
        20, description="Fewer calls than these prove nothing about a host."
    )
    api_error_window_seconds: Annotated[Decimal, Field(ge=120, le=3_600)] = Field(
        Decimal(300), description="Calls are counted over so long."
    )
    cancel_on_halt: bool = Field(
        default=True, description="Whether a halt cancels our orders that rest at the exchange at once."
    )

    exit_take_profit: bool = Field(default=True, description="Whether gains are proposed to be taken.")
    exit_take_profit_fraction: PartOf = Field(
        Decimal("0.10"), description="How far the bid has to be above the bid at entry, of that bid."
    )
    exit_stop_loss: bool = Field(default=True, description="Whether losses are proposed to be cut.")
    exit_stop_loss_fraction: PartOf = Field(
        Decimal("0.05"), description="How far the bid has to be under the bid at entry, of that bid."
    )
    reentry_hours: Annotated[int, Field(ge=0, le=8_760)] = Field(
        168,
        description="How long an outcome that was sold is not proposed for purchase again: the model that "
        "liked it still does, and selling and buying in turn pays the spread each time.",
    )
    exit_time: bool = Field(default=True, description="Whether what ends soon is proposed to be sold.")
    exit_time_hours: Annotated[int, Field(ge=1, le=8_760)] = Field(
        48, description="How long before the scheduled end that is."
    )
    exit_liquidity: bool = Field(
        default=True, description="Whether what has become hard to sell is proposed to be sold."
    )
    exit_spread_multiple: Annotated[Decimal, Field(gt=1, le=100)] = Field(
        Decimal(3), description="A spread so many times that at entry is worse."
    )
    exit_depth_fraction: PartOf = Field(
        Decimal("0.25"), description="Bids for less than this share of those at entry are worse."
    )
    exit_liquidity_seconds: Annotated[int, Field(ge=0, le=86_400)] = Field(
        120, description="How long it has to be worse."
    )
    exit_edge_gone: bool = Field(
        default=True, description="Whether it is proposed to sell what the bid pays more for than the model."
    )
    exit_edge_gone_pusd: Annotated[Decimal, Field(gt=0, lt=1)] = Field(
        Decimal("0.01"), description="How much more after the fee, in pUSD per share."
    )
    standing_worst_fraction: PartOf = Field(
        Decimal("0.15"),
        description="An exit that you approve in advance sells at most so far under the bid at entry, "
        "unless you name a price.",
    )
    standing_days: Annotated[int, Field(ge=1, le=365)] = Field(
        30, description="How long an exit approved in advance stays approved, unless you name an end."
    )

    dual_approval_pusd: PusdAmount | None = Field(
        None,
        description="A trade worth more than this needs two people, each with a token of their own; never if "
        "unset.",
    )
    totp_pusd: PusdAmount | None = Field(
        None,
        description="A trade worth more than this needs a one-time code of each approver, with a token; "
        "never if unset.",
    )
    large_trade_seconds: Annotated[int, Field(ge=0, le=86_400)] = Field(
        240, description="How much longer you get to decide about a trade that needs two people or a code."
    )

    api_host: str = Field("127.0.0.1", description="Where the HTTP API listens.")
    api_port: Annotated[int, Field(ge=1, le=65_535)] = Field(8000, description="The port of the HTTP API.")
    api_names: Names = Field(
        (),
        description="Names or addresses under which clients reach the API besides this computer's own, "
        "separated by commas; any other Host is refused.",
    )
    api_allow: Networks = Field(
        (),
        description="Addresses and networks (10.1.0.0/16) from which the API answers, separated by commas; "
        "any if empty.",
    )
    api_tls_cert: Path | None = Field(None, description="The API's certificate, a PEM file with its chain.")
    api_tls_key: Path | None = Field(None, description="The key of that certificate, a PEM file.")
    api_behind_proxy: bool = Field(
        default=False,
        description="Whether a proxy that does TLS stands before the API; it has to set X-Forwarded-For and "
        "X-Forwarded-Proto.",
    )
    api_proxies: Networks = Field(
        ("127.0.0.1/32", "::1/128"),
        description="Where that proxy connects from; nobody else is answered when one is named.",
    )
    api_requests_per_minute: Annotated[int, Field(ge=10, le=10_000_000)] = Field(
        6_000, description="Requests that one token, or one address without a token, may make in a minute."
    )
    record: bool = Field(
        default=True, description="Whether books, trades, terms and rules are recorded for later replay."
    )
    record_retention_days: Annotated[int, Field(ge=1, le=3_650)] = Field(
        90, description="Recorded days older than this are removed."
    )
    rpc_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s]+$",
        description="A node of the chain (Polygon), by which results are checked and claims are carried out; "
        "on the sandbox its own chain if unset. It may hold a key: only its host is ever shown.",
    )
    claim_gas_cap_gwei: Annotated[int, Field(ge=30, le=10_000)] = Field(
        500, description="Most that a claim of a plain wallet may pay for a unit of gas, in gwei."
    )
    claim_confirmations: Annotated[int, Field(ge=1, le=10_000)] = Field(
        20, description="Blocks, its own counted, after which a claim's transaction is believed."
    )
    claim_least_pusd: PusdAmount = Field(
        Decimal("0.1"), description="Winnings of a market under this are not worth a claim and not proposed."
    )
    pol_price_pusd: Annotated[Decimal, Field(gt=0, le=10_000)] | None = Field(
        None,
        description="What one POL, the coin that gas is paid in, is worth in pUSD: for showing what claims "
        "cost, and to propose none that costs more than it brings. In POL alone if unset.",
    )
    claim_expiry_seconds: Annotated[int, Field(ge=60, le=86_400 * 7)] = Field(
        86_400, description="How long you get to decide about a claim."
    )
    notify_command: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="A program, with arguments and without a shell, that the engine runs for every event "
        "with the event as JSON on its input; it is told no secret, so put none into it.",
    )
    notify_seconds: Annotated[float, Field(gt=0, le=60)] = Field(
        10, description="How long one run of NOTIFY_COMMAND may take; then it is ended."
    )
    keystore_password_fd: Annotated[int, Field(ge=0, le=1_023)] | None = Field(
        None,
        description="The file descriptor from which the passwords of stored keys are read, one a line; "
        "they are asked for at the terminal if unset.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level that is logged."
    )

    @field_validator(*SAFE_SECONDS)
    @classmethod
    def _safe(cls, seconds: float, info: ValidationInfo) -> float:
        """The waits that the promises rest on: real money has none that is shorter, and each covers what
        it is there for."""
        least = SAFE_SECONDS[info.field_name or ""]
        if info.data.get("venue") != "sandbox" and seconds < least:
            raise ValueError(f"Less than {least:g} s is possible on the sandbox only")
        budget = info.data.get("post_budget_seconds", 0.0)
        if info.field_name == "post_budget_seconds" and seconds > info.data.get("lease_seconds", 30) / 2:
            raise ValueError("It is more than half of POLYBOT_LEASE_SECONDS")
        if info.field_name == "proof_delay_seconds" and seconds < 2 * budget:
            raise ValueError("It is less than twice POLYBOT_POST_BUDGET_SECONDS")
        return seconds

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, env_settings, dotenv_settings, _SandboxDefaults(settings_cls))

    @property
    def is_sandbox(self) -> bool:
        return self.venue == "sandbox"

    def named(self, *names: str) -> dict[str, Any]:
        """Of these settings those that somebody gave, not those that stand at their default."""
        return {name: getattr(self, name) for name in names if name in self.model_fields_set}


class _SandboxDefaults(PydanticBaseSettingsSource):
    """The last word before the defaults: wider limits and more time where no money is at stake."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        return SANDBOX_DEFAULTS.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        return dict(SANDBOX_DEFAULTS) if self.current_state.get("venue") == "sandbox" else {}


def load_settings(**flags: Any) -> Settings:
    """The settings as this process sees them; a flag that is None was not given.

    Raises:
        ConfigurationError: an unknown or impossible setting, named, with the nearest right one.
    """
    refuse_unknown_names(Settings.model_fields)
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise impossible(error, Settings.model_fields) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            "Not started: the file .env cannot be read.", why=f"{error}.", do="Make it a readable UTF-8 text."
        ) from None
    refuse_crossings(settings)
    return settings
