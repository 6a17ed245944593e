"""JSON logs: one line per event, with the cycle, account and order that it belongs to."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from golive_api.values import render_time
from golive_engine.clock import moment

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_correlation: ContextVar[dict[str, object] | None] = ContextVar("correlation", default=None)


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON; what was passed as `extra` becomes further keys."""

    def format(self, record: logging.LogRecord) -> str:
        """Render one record."""
        line: dict[str, object] = {
            "time": render_time(moment(record.created)),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= _correlation.get() or {}
        line |= {key: value for key, value in record.__dict__.items() if key not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


@contextmanager
def correlated(**fields: object) -> Iterator[None]:
    """Add these keys to every line that is logged inside."""
    token = _correlation.set((_correlation.get() or {}) | fields)
    try:
        yield
    finally:
        _correlation.reset(token)


def start_logging(level: int = logging.INFO) -> None:
    """Send every record to standard output as JSON."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    logging.getLogger("ccxt").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
