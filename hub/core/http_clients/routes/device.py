"""Clients without MQTT: what they are sent, as a stream or by polling, and what they say.

Some know only their key, which they show as a bearer key: they get events `command`, and report without ids.
"""

from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Body, Header, Path, Query, Request, Response
from uuid_utils.compat import uuid7

from hub.api.answers import json_answer
from hub.api.description import Routes
from hub.api.edge import asks_for_head
from hub.api.json_bodies import JsonRoute
from hub.api.lookup import part
from hub.api.problems import fails, fails_only
from hub.core.access.routes import ByBearer, ClientOrReader, ItsOwnId, ShownSecret, shows_bearer
from hub.core.documents.service.downloads import Downloads
from hub.core.http_clients import rules
from hub.core.http_clients.routes.event_stream import EventStream, command_event
from hub.core.http_clients.service.channels import Channel
from hub.core.http_clients.service.http_clients import Agent, HttpClients
from hub.core.http_clients.shapes import (
    SESSION,
    ErrorBody,
    Ping,
    PolledMessages,
    Pong,
    ReceiptOutput,
    ReportInput,
    ResultBody,
    SimpleReport,
    StatusBody,
)
from hub.errors import FieldProblem, NotFoundError, RejectedError
from schemas.messages import Cancel, Run

router = Routes("clients without MQTT", "For the clients themselves: commands, reports and liveness over HTTP alone.")
HttpClientsDep = Annotated[HttpClients, part(HttpClients)]
DownloadsDep = Annotated[Downloads, part(Downloads)]
ClientPath = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,62}$", description="The client's own id, also in capitals.")
]
"""Machines call themselves in capitals, and mean the same."""
RunPath = Annotated[
    str, Path(pattern=rules.RUN_ID, description="The command's id, or the id that the event `command` gave it.")
]
SessionQuery = Annotated[str, Query(pattern=SESSION, description="New with each start of the client's program.")]
SessionOrNone = Annotated[
    str | None,
    Query(
        pattern=SESSION,
        description="New with each start of the client's program. Without it, with a bearer key: events `command`.",
    ),
]
Program = Annotated[
    str, Header(alias="User-Agent", max_length=400, description="Name and version of the program, as `name/version`.")
]
_REPORT: Mapping[str, Any] = {
    "response_model": ReceiptOutput,
    "response_description": "The receipt: the report is stored durably.",
    "description": "For the client that has the command. The answer, after the commit, is the receipt. "
    "A client with a bearer key can leave out `report_id`, `session` and `attempt`.",
    "responses": fails_only(400, 401, 403, 404, 409, 413, 415, 422, 503),
}
"""What the routes of reports have in common."""


def _agent(path_id: str, own_id: str, secret: bytes, session: str, user_agent: str) -> Agent:
    if path_id.lower() != own_id:
        raise RejectedError("not_your_client")
    name, _, version = "".join(c if c.isprintable() else "?" for c in user_agent).partition("/")
    return Agent(own_id, session, secret, name[:200] or "http", version[:200] or "-")


def _require_bearer(*missing: str, by_bearer: bool) -> None:
    """Raise RejectedError for what only a client with a bearer key may leave out."""
    if not by_bearer:
        problems = tuple(FieldProblem(name, "missing_without_bearer") for name in missing)
        raise RejectedError("validation_error", fields=problems)


@router.get("/api/events/subscribe", include_in_schema=False)
async def get_live_feed(_client_id: ClientOrReader) -> Response:
    """Say what this path is for: no client can have this id."""
    raise NotFoundError("live_feed_missing")


@router.get(
    "/api/events/{client_id}",
    status_code=200,
    summary="Runs and cancels as a stream",
    description=(
        "For the client itself. With HTTP Basic: server-sent events `run` and `cancel`; the data are the messages of "
        "the wire contract; ping every 10 s besides. With the secret as a bearer key and without `session`: events "
        "`command` with `id`, `action` and `payload`, each once; the open stream shows that the client lives. One "
        "stream for each client: a newer one takes over."
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
    by_bearer: ByBearer,
    downloads: DownloadsDep,
    request: Request,
    session: SessionOrNone = None,
    most_s: Annotated[
        float | None,
        Query(ge=0, le=86_400, description="The hub ends the stream after this many seconds; then open it again."),
    ] = None,
    user_agent: Program = "",
) -> Response:
    """Open a stream."""
    if session is None:
        _require_bearer("session", by_bearer=by_bearer)
    once = session is None
    agent = _agent(client_id, own_id, secret, session or f"{rules.SESSION}{uuid7()}", user_agent)
    if asks_for_head(request):
        return Response(media_type=EventStream.media_type)
    channel = await http_clients.open_stream(agent, once=once)

    async def closed(channel: Channel, lost: bool) -> None:
        await http_clients.closed(channel, lost=lost)

    if not once:
        return EventStream(channel, closed, most_s=most_s)
    site = str(request.base_url).rstrip("/")

    def download(document_id: UUID) -> str:
        return f"{site}{downloads.path(own_id, document_id)}"

    def written(message: Run | Cancel) -> bytes:
        # It is sent no cancels: it would take them for commands.
        return command_event(rules.command_event(message, download)) if isinstance(message, Run) else b""

    alive = partial(http_clients.is_read, channel)
    return EventStream(channel, closed, most_s=most_s, written=written, alive=alive)


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


class _PlainJson(JsonRoute):
    """Takes JSON that a client with a bearer key sends as text, which `fetch` and .NET do by default. No browser sends
    such a key on its own, so that no other page can make use of it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """See the library."""
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind == "text/plain" and shows_bearer(request):
                others = [(name, value) for name, value in request.scope["headers"] if name != b"content-type"]
                headers = [*others, (b"content-type", b"application/json")]
                request = Request({**request.scope, "headers": headers}, request.receive)
            return await handle(request)

        return handler


reports = Routes("clients without MQTT", route_class=_PlainJson)


@reports.post(
    "/api/clients/{client_id}/ping",
    response_model=Pong,
    summary="Report that the client is alive",
    description=(
        "For the client itself, every 10 s; after 33 s of silence it counts as offline. A client with a bearer key can "
        "leave out `session` or the whole body: the answer then says that the key is right, and the open stream shows "
        "that the client is alive."
    ),
    responses=fails(409, body=True),
)
async def ping(
    client_id: ClientPath,
    http_clients: HttpClientsDep,
    own_id: ItsOwnId,
    secret: ShownSecret,
    by_bearer: ByBearer,
    body: Ping | None = None,
    user_agent: Program = "",
) -> Response:
    """Hear a client."""
    session = None if body is None else body.session
    agent = _agent(client_id, own_id, secret, session or rules.SESSION, user_agent)
    if session is None:
        _require_bearer("session", by_bearer=by_bearer)
        now = await http_clients.now()
    else:
        now = await http_clients.ping(agent)
    return json_answer({"client_id": own_id, "session": session, "hub_time": now})


@reports.put(
    "/api/commands/{command_id}/status",
    summary="Report the progress of an attempt",
    **_REPORT,
)
async def report_status(
    command_id: RunPath,
    body: Annotated[StatusBody, Body()],
    http_clients: HttpClientsDep,
    own_id: ItsOwnId,
    by_bearer: ByBearer,
) -> Response:
    """Take in a report."""
    return await _report(http_clients, own_id, command_id, body, by_bearer=by_bearer)


@reports.post(
    "/api/commands/{command_id}/result",
    summary="Report the result of an attempt",
    **_REPORT,
)
async def report_result(
    command_id: RunPath,
    body: Annotated[ResultBody, Body()],
    http_clients: HttpClientsDep,
    own_id: ItsOwnId,
    by_bearer: ByBearer,
) -> Response:
    """Take in an end."""
    return await _report(http_clients, own_id, command_id, body, by_bearer=by_bearer)


@reports.post(
    "/api/commands/{command_id}/error",
    summary="Report that an attempt failed",
    **_REPORT,
)
async def report_error(
    command_id: RunPath,
    body: Annotated[ErrorBody, Body()],
    http_clients: HttpClientsDep,
    own_id: ItsOwnId,
    by_bearer: ByBearer,
) -> Response:
    """Take in a failure."""
    return await _report(http_clients, own_id, command_id, body, by_bearer=by_bearer)


async def _report(
    http_clients: HttpClients, client_id: str, run_id: str, body: ReportInput | SimpleReport, *, by_bearer: bool
) -> Response:
    command_id, attempt = rules.read_run_id(run_id)
    if isinstance(body, ReportInput):
        if attempt is not None and attempt != body.attempt:
            problem = FieldProblem("attempt", "other_attempt", {"attempt": attempt})
            raise RejectedError("validation_error", fields=(problem,))
        return json_answer(await http_clients.report(client_id, body.session, body.report(command_id)))
    _require_bearer("report_id", "session", "attempt", by_bearer=by_bearer)
    return json_answer(await http_clients.simple_report(client_id, body.report(command_id, attempt or 1)))
