"""Health and readiness, also under the paths of the seeds."""

from typing import Annotated

from fastapi import Response
from prometheus_client import CONTENT_TYPE_LATEST

from hub.api.answers import json_answer
from hub.api.description import Routes
from hub.api.lookup import part
from hub.api.problems import fails_only
from hub.api.strangers import Counting
from hub.core.access.routes import public, require
from hub.core.access.rules import Caller, Permission
from hub.features.monitoring.service import Monitoring
from hub.features.monitoring.shapes import Health, Readiness
from schemas.version import installed_version

router = Routes("operation", "Health, readiness and metrics.")
Watcher = Annotated[Caller, require(Permission.READ, strangers=Counting.NEVER)]
MonitoringDep = Annotated[Monitoring, part(Monitoring)]


@router.get("/health", response_model=Health, summary="Is the process alive?", dependencies=[public(Counting.NEVER)])
@router.get("/api/health", response_model=Health, include_in_schema=False, dependencies=[public(Counting.NEVER)])
async def get_health() -> Response:
    """Alive; says nothing about database and broker."""
    return json_answer({"status": "ok", "version": installed_version()})


@router.get(
    "/health/ready",
    response_model=Readiness,
    summary="Is the hub ready to work?",
    responses={503: {"model": Readiness, "description": "Not now; `checks` says what is missing."}},
    dependencies=[public(Counting.NEVER)],
)
async def get_readiness(monitoring: MonitoringDep) -> Response:
    """Asks the database, and whether the broker's connection stands."""
    is_ready, checks = await monitoring.readiness()
    status = "ready" if is_ready else "not_ready"
    return json_answer({"status": status, "checks": checks}, 200 if is_ready else 503)


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    description=(
        "Needs a key that is allowed to read all clients: set `authorization` in Prometheus. Counters are those of "
        "this process."
    ),
    response_class=Response,
    responses={
        200: {
            "description": "Figures in Prometheus's text format.",
            "content": {CONTENT_TYPE_LATEST: {"schema": {"type": "string"}}},
        },
        **fails_only(401, 403, 503),
    },
)
@router.get("/api/metrics", include_in_schema=False)
async def get_metrics(monitoring: MonitoringDep, caller: Watcher) -> Response:
    """Counters of this process and counts of the tables."""
    return Response(await monitoring.figures(caller), media_type=CONTENT_TYPE_LATEST)
