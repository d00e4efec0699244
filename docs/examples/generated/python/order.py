"""Uploads a document, prints it, and asks for what an order system needs. Usage:

FLOORHUB_KEY=... python order.py http://127.0.0.1:8080 CLIENT PRINTER FILE.pdf
"""

import os
import sys
import uuid
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import httpx
from floorhub_client import AuthenticatedClient
from floorhub_client.api.batches import create_batch
from floorhub_client.api.commands import create_command, get_command, list_commands
from floorhub_client.api.documents import upload_document
from floorhub_client.api.schedules import create_schedule, delete_schedule
from floorhub_client.models.batch_fields import BatchFields
from floorhub_client.models.batch_input import BatchInput
from floorhub_client.models.batch_output import BatchOutput
from floorhub_client.models.command_fields import CommandFields
from floorhub_client.models.command_input import CommandInput
from floorhub_client.models.command_page import CommandPage
from floorhub_client.models.print_payload import PrintPayload
from floorhub_client.models.problem import Problem
from floorhub_client.models.schedule_input import ScheduleInput
from floorhub_client.models.target_input import TargetInput
from floorhub_client.types import File

Answer = TypeVar("Answer")


class HubError(Exception):
    """The hub refused a request, or cannot carry it out."""


def ok(answer: Answer | Problem | None) -> Answer:
    """What an answer contains; an error of the hub is raised with its code and what to do."""
    if isinstance(answer, Problem):
        raise HubError(f"{answer.code}: {answer.detail}")
    if answer is None:
        raise HubError("the hub answered with a status that the client does not know")
    return answer


def main(url: str, client_id: str, printer: str, file: str) -> None:
    """Carry out each step and say what came of it."""
    hub = AuthenticatedClient(base_url=url, token=os.environ["FLOORHUB_KEY"], timeout=httpx.Timeout(60))
    with hub:
        content = File(payload=BytesIO(Path(file).read_bytes()))
        document = ok(upload_document.sync(client=hub, body=content, filename="order.pdf"))
        print("document", document.content_type, document.size)

        payload = PrintPayload(printer=printer, document=str(document.id), copies=2)
        reference = f"order-{uuid.uuid4()}"
        wanted = CommandInput(client_id=client_id, action="print", payload=payload, reference=reference)
        printed = ok(create_command.sync(client=hub, body=wanted, wait=30, idempotency_key=f"{reference}-1"))
        print("print", printed.status, printed.error.code if printed.error else "-")

        payload.copies = 0
        refused = create_command.sync_detailed(
            client=hub, body=CommandInput(client_id=client_id, action="print", payload=payload, priority=11)
        )
        if isinstance(refused.parsed, Problem):
            fields = [f"{wrong.field}:{wrong.code}" for wrong in refused.parsed.errors or []]
            print("refused", refused.status_code.value, refused.parsed.code, " ".join(fields))
        missing = get_command.sync_detailed(client=hub, command_id=document.id)
        print("missing", missing.status_code.value, missing.parsed.code if isinstance(missing.parsed, Problem) else "-")

        page: CommandPage = ok(list_commands.sync(client=hub, reference=reference))
        print("list", len(page.items), page.items[0].id == printed.id, page.next_cursor)

        target, command = TargetInput(clients=[client_id]), CommandFields(action="status")
        batch = ok(create_batch.sync(client=hub, body=BatchInput(target=target, command=command)))
        print("batch", batch.accepted if isinstance(batch, BatchOutput) else 0)

        schedule = ok(
            create_schedule.sync(
                client=hub,
                body=ScheduleInput(
                    name=f"Status of {reference}",
                    cron="0 7 * * 1-5",
                    time_zone="Asia/Seoul",
                    request=BatchFields(target=target, command=command),
                ),
            )
        )
        removed = ok(delete_schedule.sync(client=hub, schedule_id=schedule.id))
        print("schedule", schedule.time_zone, schedule.enabled, removed.id == schedule.id)


if __name__ == "__main__":
    main(*sys.argv[1:5])
