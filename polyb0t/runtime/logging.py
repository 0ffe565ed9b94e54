"""Structured events into a file; people's lines go to the terminal by `console`."""

import logging
from collections.abc import MutableMapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Final

import structlog

REDACTED: Final = "[redacted]"
_SECRET_WORDS: Final = ("secret", "passphrase", "private_key", "signature", "api_key", "authorization")
_MEBIBYTE: Final = 1_048_576


def configure_logging(path: Path, level: str) -> None:
    """JSON lines, 10 MiB a file, five files kept. Secrets are cut out by name before they are written."""
    handler = RotatingFileHandler(path, maxBytes=10 * _MEBIBYTE, backupCount=5, encoding="utf-8")
    path.chmod(0o600)
    handler.setFormatter(logging.Formatter("%(message)s"))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for noisy in ("httpx", "httpcore", "apscheduler", "websockets", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact,
            structlog.processors.JSONRenderer(default=str),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        cache_logger_on_first_use=True,
    )


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Whatever its value, a field with a secret's name is not written."""
    for name in event:
        if any(word in name.lower() for word in _SECRET_WORDS):
            event[name] = REDACTED
    return event


def keep_quiet() -> None:
    """For a command that reads the exchange: its standard output belongs to its answer."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
