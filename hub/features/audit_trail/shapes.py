"""The shapes of the audit trail and of security events."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from hub.api.description import example
from hub.api.pages import NextCursor
from hub.api.shapes import Input, Output

Format = Literal["jsonl", "csv"]
Severity = Literal["info", "warning", "critical"]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
WHO = "Id or name of a user or an integration."


class AuditEntry(Output):
    """A row of the trail."""

    id: int = Field(description="Its number; higher is later, some numbers are left out.")
    at: datetime = Field(description="When it was done.")
    principal_id: UUID | None = Field(description="Who did it; null: the hub itself.")
    principal: str | None = Field(description="The name of who did it, as it is now.")
    action: str = Field(description="What was done.", examples=["client.update"])
    resource: str = Field(description="To what kind of thing.", examples=["client"])
    resource_id: str | None = Field(description="To which one.")
    resource_name: str | None = Field(description="The name of that user or integration, as it is now; else null.")
    address: str | None = Field(description="From where; null: unknown, or erased.")
    detail: dict[str, Any] | None = Field(description="More about it, such as the fields `before` and `after`.")
    erased: bool = Field(description="Whether address and detail were erased.")


class AuditPage(Output):
    """A page of the trail."""

    items: list[AuditEntry] = Field(description="The rows, newest first.")
    next_cursor: NextCursor


class SecurityEventOutput(Output):
    """What looks like an attack."""

    id: int = Field(description="Its number; higher is later.")
    at: datetime = Field(description="When it was seen; of several, the last time.")
    kind: str = Field(description="What was seen.", examples=["two_machines"])
    severity: Severity = Field(description="How serious it is.")
    principal_id: UUID | None = Field(description="Whose key or sign-in it was about; null: nobody's that is known.")
    principal: str | None = Field(description="The name of the principal, as it is now.")
    client_id: str | None = Field(description="The client that it was about, if any.")
    address: str | None = Field(description="From where; null: unknown, or erased.")
    detail: dict[str, Any] | None = Field(description="More about it.")
    number: int = Field(description="How many events this row stands for; above 1 when too many came in a minute.")


class SecurityEventPage(Output):
    """A page of security events."""

    items: list[SecurityEventOutput] = Field(description="The events, newest first.")
    next_cursor: NextCursor


class AuditProblem(Output):
    """One thing that is wrong with the trail."""

    code: str = Field(description="What is wrong.", examples=["row_edited"])
    row: int | None = Field(description="The first row concerned.")
    seal: int | None = Field(description="The seal concerned.")
    message: str = Field(description="The same as a sentence.")


class AuditRestore(Output):
    """A restore of the database that the hub found."""

    at: datetime = Field(description="When the hub found it.")
    seal: int = Field(description="The seal that records it.")
    kept: int = Field(description="The last seal that the restored database had.")
    lost: int = Field(description="The last seal that was made before.")
    recorded: bool = Field(description="Whether `floorhub restore` did it.")


class AuditVerification(Output):
    """Whether the trail is what the hub wrote."""

    intact: bool = Field(description="Whether nothing was edited, deleted, inserted, moved or cut off.")
    rows: int = Field(description="Rows that have a seal.")
    seals: int = Field(description="Seals of the trail.")
    first_seal: int | None = Field(description="The number of the oldest seal that is kept; null: there is none.")
    last_seal: int | None = Field(description="The number of the newest seal; null: there is none.")
    last_hash: str | None = Field(description="SHA-256 of the last seal, hex.")
    sealed_until: datetime | None = Field(description="When the newest seal was made; null: there is none.")
    unsealed: int = Field(description="Rows that were written after the last seal.")
    erased: int = Field(description="Rows whose address and detail were erased.")
    restores: list[AuditRestore] = Field(description="Restores of the database, oldest first.")
    problems: list[AuditProblem] = Field(description="In the order of the trail, at most 20; the first comes first.")
    public_key: str = Field(description="What the seals were held against, base64url.")


class EraseInput(Input):
    """Whose data is to be erased."""

    principal: Name = Field(description=WHO)

    EXAMPLES: ClassVar = {
        "minimal": example("By name", principal="kim"),
        "full": example("By id", principal="01890a5d-ac96-774b-bcce-b302099a8057"),
    }


class EraseOutput(Output):
    """What was erased."""

    principal_id: UUID = Field(description="Whose data it was.")
    rows: int = Field(description="Rows of the trail whose address and detail were erased.")
    security_events: int = Field(description="Security events whose address and detail were erased.")
