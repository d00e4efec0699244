"""Clients without MQTT: what they are sent, as a stream or by polling, and what they say."""

from typing import Annotated
from uuid import UUID

from fastapi import Header, Path, Query, Request, Response

from hub.api.answers import json_answer
from hub.api.description import Routes
from hub.api.edge import asks_for_head
from hub.api.lookup import part
from hub.api.problems import fails, fails_only
from hub.api.shapes import Slug
from hub.core.access.routes import ItsOwnId, ShownSecret
from hub.core.http_clients.routes.event_stream import EventStream
from hub.core.http_clients.service.channels import Channel
from hub.core.http_clients.service.http_clients import Agent, HttpClients
from hub.core.http_clients.shapes import (
    SESSION,
    ErrorInput,
    Ping,
    PolledMessages,
    Pong,
    ReceiptOutput,
    ResultInput,
    StatusInput,
)
from hub.errors import RejectedError
from schemas.messages import Report

router = Routes("clients without MQTT", "For the clients themselves: commands, reports and liveness over HTTP alone.")
HttpClientsDep = Annotated[HttpClients, part(HttpClients)]
ClientPath = Annotated[Slug, Path(description="The client's own id.")]
OwnCommandInPath = Annotated[UUID, Path(description="Id of a command of the client's own.")]
SessionQuery = Annotated[str, Query(pattern=SESSION, description="New with each start of the client's program.")]
Program = Annotated[
    str, Header(alias="User-Agent", max_length=400, description="Name and version of the program, as `name/version`.")
]
REPORT_PROBLEMS = fails_only(400, 401, 403, 404, 413, 415, 422, 503)


def _agent(path_id: str, own_id: str, secret: bytes, session: str, user_agent: str) -> Agent:
    if path_id != own_id:
        raise RejectedError("not_your_client")
    name, _, version = "".join(c if c.isprintable() else "?" for c in user_agent).partition("/")
    return Agent(own_id, session, secret, name[:200] or "http", version[:200] or "-")


@router.get(
    "/api/events/{client_id}",
    status_code=200,
    summary="Runs and cancels as a stream",
    description=(
        "For the client itself (HTTP Basic). Server-sent events `run` and `cancel`; the data are the messages of the "
        "wire contract. One stream for each client: a newer one takes over. Ping every 10 s besides."
    ),
    response_class=EventStream,
    responses={
        200: {
            "description": "The stream: it stays open.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **fails(409),
    },
)
async def stream_messages(
    client_id: ClientPath,
    http_clients: HttpClientsDep,
    own_id: ItsOwnId,
    secret: ShownSecret,
    request: Request,
    session: SessionQuery,
    most_s: Annotated[
        float | None, Query(ge=0, le=86_400, description="The hub ends the stream after so long; open the next then.")
    ] = None,
    user_agent: Program = "",
) -> Response:
    """Open a stream."""
    agent = _agent(client_id, own_id, secret, session, user_agent)
    if asks_for_head(request):
        return Response(media_type=EventStream.media_type)
    channel = await http_clients.open_stream(agent)

    async def closed(channel: Channel, lost: bool) -> None:
        await http_clients.closed(channel, lost=lost)

    return EventStream(channel, closed, most_s=most_s)


@router.get(
    "/api/clients/{client_id}/commands",
    response_model=PolledMessages,
    summary="Runs and cancels by polling",
    description=(
        "For the client itself (HTTP Basic). Answers with what it is to be sent, or after `wait` seconds, at most 20, "
        "with nothing: ask again then, since 33 s after its last request the client counts as offline. "
        "What gets no report comes again."
    ),
    responses=fails(409),
)
async def poll_messages(
    client_id: ClientPath,
    http_clients: HttpClientsDep,
    own_id: ItsOwnId,
    secret: ShownSecret,
    request: Request,
    session: SessionQuery,
    wait: Annotated[float, Query(ge=0, le=60, description="Seconds to wait for a message.")] = 0,
    user_agent: Program = "",
) -> Response:
    """Poll."""
    agent = _agent(client_id, own_id, secret, session, user_agent)
    if asks_for_head(request):
        return Response(media_type="application/json")
    messages, now = await http_clients.poll(agent, wait)
    return json_answer({"messages": messages, "hub_time": now})


@router.post(
    "/api/clients/{client_id}/ping",
    response_model=Pong,
    summary="Say that the client lives",
    description="For the client itself (HTTP Basic), every 10 s; after 33 s of silence it counts as offline.",
    responses=fails(409, body=True),
)
async def ping(
    client_id: ClientPath,
    body: Ping,
    http_clients: HttpClientsDep,
    own_id: ItsOwnId,
    secret: ShownSecret,
    user_agent: Program = "",
) -> Response:
    """Hear a client."""
    now = await http_clients.ping(_agent(client_id, own_id, secret, body.session, user_agent))
    return json_answer({"client_id": own_id, "session": body.session, "hub_time": now})


@router.put(
    "/api/commands/{command_id}/status",
    response_model=ReceiptOutput,
    response_description="The receipt: the report is stored for good.",
    summary="Report how an attempt goes",
    description="For the client (HTTP Basic) that has the command. The answer, after the commit, is the receipt.",
    responses=REPORT_PROBLEMS,
)
async def report_status(
    command_id: OwnCommandInPath, body: StatusInput, http_clients: HttpClientsDep, own_id: ItsOwnId
) -> Response:
    """Take in a report."""
    return await _report(http_clients, own_id, body.session, body.report(command_id))


@router.post(
    "/api/commands/{command_id}/result",
    response_model=ReceiptOutput,
    response_description="The receipt: the report is stored for good.",
    summary="Report what came out of an attempt",
    description="For the client (HTTP Basic) that has the command. The answer, after the commit, is the receipt.",
    responses=REPORT_PROBLEMS,
)
async def report_result(
    command_id: OwnCommandInPath, body: ResultInput, http_clients: HttpClientsDep, own_id: ItsOwnId
) -> Response:
    """Take in an end."""
    return await _report(http_clients, own_id, body.session, body.report(command_id))


@router.post(
    "/api/commands/{command_id}/error",
    response_model=ReceiptOutput,
    response_description="The receipt: the report is stored for good.",
    summary="Report that an attempt failed",
    description="For the client (HTTP Basic) that has the command. The answer, after the commit, is the receipt.",
    responses=REPORT_PROBLEMS,
)
async def report_error(
    command_id: OwnCommandInPath, body: ErrorInput, http_clients: HttpClientsDep, own_id: ItsOwnId
) -> Response:
    """Take in a failure."""
    return await _report(http_clients, own_id, body.session, body.report(command_id))


async def _report(http_clients: HttpClients, client_id: str, session: str, report: Report) -> Response:
    return json_answer(await http_clients.report(client_id, session, report))
