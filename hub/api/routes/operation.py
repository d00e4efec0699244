"""Health and readiness, also under the paths of the seeds."""

from importlib.metadata import version

from fastapi import APIRouter, Response

from hub.api.deps import HubDep, public
from hub.api.models import Health, Readiness
from hub.errors import UnavailableError

router = APIRouter(tags=["operation"])


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
    if not fine:
        response.status_code = 503
    return Readiness(status="ready" if fine else "not_ready", checks=checks)
