"""Log lines: structured, with the mailbox and the request they belong to, and never a token (OPS 4)."""

from __future__ import annotations

import logging.config
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

# A bearer header, a JWT, or a form field that carries a secret.
SECRETS = re.compile(
    r"(?i)(bearer\s+)[\w.~+/=-]+|\beyJ[\w-]{10,}\.[\w-]+\.[\w-]*|"
    r"((?:refresh_token|access_token|client_secret|code|code_verifier|id_token|password)[\"']?\s*[=:]\s*[\"']?)[^\s&\"',}]+"
)


def without_secrets(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank what looks like a secret in every text of the event: the last net, not the first."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = SECRETS.sub(lambda match: (match.group(1) or match.group(2) or "") + "[hidden]", value)
    return event


OUTAGES = ("OperationalError", "InterfaceError", "PoolTimeout", "ConnectorException")

SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    without_secrets,
]


def in_a_line(problem: BaseException) -> str:
    """What an error says, with what the error under it says where it says little itself."""
    words = " ".join(str(problem).split())
    below = " ".join(str(problem.__cause__ or "").split())
    return (words if below in words else f"{words} {below}".strip())[:300]


def without_outages(record: logging.LogRecord) -> bool:
    """A database that is away is one line wherever it is noticed, not a traceback each second."""
    problem = record.exc_info[1] if record.exc_info else None
    if problem is not None and type(problem).__name__ in OUTAGES:
        record.msg, record.args = f"{record.getMessage()}: {type(problem).__name__}: {in_a_line(problem)}", ()
        record.exc_info = record.exc_text = None
    return True


def logging_settings(*, format: str) -> dict[str, Any]:
    """The dictionary for logging.config: one handler on standard error."""
    renderer: Any = (
        structlog.processors.JSONRenderer() if format == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
                "foreign_pre_chain": SHARED,
            }
        },
        "filters": {"outages": {"()": lambda: without_outages}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["outages"]}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "workestra": {"level": "INFO"},
            "procrastinate": {"level": "WARNING"},
            "psycopg.pool": {"level": "ERROR"},  # whoever waits for a connection tells of it
            "django.request": {"level": "ERROR"},
        },
    }


def set_up(*, settings: dict[str, Any]) -> None:
    """Configure logging once for this process."""
    logging.config.dictConfig(settings)
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
