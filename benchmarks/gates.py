"""A whole gate as the operator writes it, with the limits of profile micro."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from golive_api.gate import GateRecord
from golive_api.golive import Environment, GateState
from golive_api.profiles import CapitalProfileSpec
from golive_api.values import render_time
from golive_engine.gate import Addressee

MICRO = Path(__file__).parents[1] / "config" / "profiles" / "micro.yaml"
ADDRESSEE = Addressee("default", "bench", "engine", Environment.PRODUCTION)


def gate(state: GateState, serial: int, ttl_seconds: int) -> GateRecord:
    """A record for the engine, issued now, for the account main."""
    now = datetime.now(UTC)
    profile = CapitalProfileSpec.model_validate(yaml.safe_load(MICRO.read_text())["spec"])
    return GateRecord(
        namespace=ADDRESSEE.namespace,
        name=ADDRESSEE.golive,
        uid="0" * 36,
        engine=ADDRESSEE.engine,
        environment=ADDRESSEE.environment,
        state=state,
        reason=state.value,
        epoch=1,
        serial=serial,
        revision=1,
        digest=".".join(["0" * 64] * 3),
        profile="micro",
        limits=profile.limits,
        accounts=["main"],
        requested_by="trader",
        issued_time=render_time(now),
        valid_until=render_time(now + timedelta(seconds=ttl_seconds)),
        ttl_seconds=ttl_seconds,
    )
