"""The broker: what it has yet to learn, and its restart."""

from typing import Annotated

from fastapi import Response

from hub.api.answers import json_answer
from hub.api.description import Routes
from hub.api.lookup import part
from hub.api.problems import fails
from hub.core.access.routes import Confirmed, MayAdminister
from hub.core.broker.service.restarting import Restarting
from hub.core.broker.shapes import BrokerOutput

router = Routes("broker", "The MQTT broker: what it has yet to learn about clients, and its restart.")
RestartingDep = Annotated[Restarting, part(Restarting)]


@router.get(
    "/api/broker",
    response_model=BrokerOutput,
    summary="What the broker has yet to learn",
    responses=fails(),
)
async def get_broker(restarting: RestartingDep, caller: MayAdminister) -> Response:
    """Changes that wait for the broker."""
    caller.require_all_clients()
    return json_answer(BrokerOutput.of(await restarting.standing()).model_dump())


@router.post(
    "/api/broker/restart",
    status_code=202,
    response_model=BrokerOutput,
    summary="Restart the broker with the rules of all clients",
    description="Only for the broker that `floorhub up` (`make run`) started. All connections end; clients and hub "
    "connect again by themselves, and no command is lost. `restarting` in `GET /api/broker` says when it is done.",
    responses=fails(409),
)
async def restart_broker(restarting: RestartingDep, caller: Confirmed) -> Response:
    """Restart the broker."""
    return json_answer(BrokerOutput.of(await restarting.restart(caller)).model_dump(), 202)
