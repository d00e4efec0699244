"""Health and readiness, also under the paths of the seeds."""

from importlib.metadata import version
from typing import Annotated

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from hub.api.deps import HubDep, Permission, public, require
from hub.api.models import Health, Readiness
from hub.core.commands.routes.commands import PROBLEM
from hub.core.commands.service.submission import Caller
from hub.errors import UnavailableError

router = APIRouter(tags=["operation"])
MayRead = Annotated[Caller, require(Permission.READ)]


@router.get("/health", response_model=Health, summary="Is the process alive?", dependencies=[public()])
@router.get("/api/health", response_model=Health, include_in_schema=False, dependencies=[public()])
async def health() -> Health:
    """Alive; says nothing about database and broker."""
    return Health(status="ok", version=version("floorhub"))


@router.get(
    "/health/ready",
    response_model=Readiness,
    summary="Can the hub do its work?",
    responses={503: {"model": Readiness, "description": "Not now; `checks` says what is missing."}},
    dependencies=[public()],
)
async def ready(hub: HubDep, response: Response) -> Readiness:
    """Asks the database, and whether the broker's connection stands."""
    checks = {"database": "ok"}
    try:
        await hub.presence.now()
    except UnavailableError as problem:
        checks["database"] = problem.code
    if hub.worker is not None:
        checks["broker"] = "ok" if hub.worker.session.connected else "not_connected"
        if hub.worker.admin_session is not None:
            checks["broker_administration"] = "ok" if hub.worker.admin_session.connected else "not_connected"
    fine = all(state == "ok" for state in checks.values())
    # What wants a person soon, and keeps nothing from working now.
    if hub.worker is not None:
        checks["cleanup"] = hub.retention.problem or "ok"
    checks["disk"] = hub.disk.room.value
    if not fine:
        response.status_code = 503
    return Readiness(status="ready" if fine else "not_ready", checks=checks)


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    description="With a key, as Prometheus's `authorization` setting sends it. Counters are this process's own.",
    response_class=Response,
    responses={
        200: {"content": {CONTENT_TYPE_LATEST: {"schema": {"type": "string"}}}},
        **dict.fromkeys((401, 403, 503), PROBLEM),
    },
)
@router.get("/api/metrics", include_in_schema=False)
async def metrics(hub: HubDep, _caller: MayRead) -> Response:
    """Counters of this process and counts of the tables."""
    return Response(hub.metrics.render(await hub.commands.figures()), media_type=CONTENT_TYPE_LATEST)
