"""The shapes of lists of clients."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from hub.api.description import example
from hub.api.field_catalogue import invalid
from hub.api.shapes import CLIENT_ID, ActionName, Input, Output, Slug, Tag
from hub.core.clients.service.imports import MOST, Imported, ImportRequest, Row
from hub.core.clients.shapes import RESERVED, ClientKind
from hub.tokens import CLIENT_SECRET, LENGTH, is_token

_UNSAID = "Left out or null: as it is; of a new client: as `POST /api/clients` has it."


class ImportedClientInput(Input):
    """A client of a list. What is left out is not said: a client that there is keeps it."""

    id: Slug = Field(description="Chosen once, never reused.")
    name: str | None = Field(None, min_length=1, max_length=200, description=f"A name for people. {_UNSAID}")
    kind: ClientKind | None = Field(None, description=f"What machine it is. {_UNSAID}")
    zone: str | None = Field(None, min_length=1, max_length=100, description=f"Where it is. {_UNSAID}")
    groups: list[Slug] | None = Field(None, max_length=50, description=f"All its groups. {_UNSAID}")
    tags: list[Tag] | None = Field(None, max_length=50, description=f"All its tags. {_UNSAID}")
    metadata: dict[str, Any] | None = Field(
        None, description="Anything of your own. Names that a client has besides stay."
    )
    allowed_actions: list[ActionName] | None = Field(
        None, max_length=100, description=f"The actions that it may be asked for. {_UNSAID}"
    )
    rate_limit: int | None = Field(None, ge=0, le=1_000_000, description=f"Commands per minute. {_UNSAID}")
    max_commands_per_day: int | None = Field(None, ge=0, le=100_000_000, description=f"Commands per day. {_UNSAID}")
    secret: str | None = Field(
        None,
        max_length=100,
        json_schema_extra={"pattern": f"^{CLIENT_SECRET}[0-9A-Za-z]{{{LENGTH - len(CLIENT_SECRET)}}}$"},
        description="The secret of a new client, which you made: `fhc_`, 256 random bits in base62 (43 characters), "
        "and the CRC-32 of both in base62 (6). Save it before you send it. Without it, the hub makes a secret that it "
        "shows to nobody: connect the machine by pairing.",
    )

    @field_validator("id")
    @classmethod
    def _not_reserved(cls, value: str) -> str:
        if value in RESERVED:
            raise invalid("reserved_id")
        return value

    @field_validator("secret")
    @classmethod
    def _is_secret(cls, value: str | None) -> str | None:
        if value is not None and not (is_token(value, CLIENT_SECRET) and len(set(value)) >= FEWEST_CHARACTERS):
            raise invalid("client_secret")
        return value

    def to_row(self) -> Row:
        """As the service takes it."""
        given = {name: getattr(self, name) for name in type(self).model_fields if name not in ("id", "secret")}
        said = {name: value for name, value in given.items() if value is not None}
        return Row(id=self.id, said=said, secret=self.secret)


FEWEST_CHARACTERS = 15
"""Different ones in a secret. Of 43 random ones there are about thirty."""
Clients = Annotated[list[ImportedClientInput], Field(min_length=1, max_length=MOST)]


class ImportInput(Input):
    """A list of clients."""

    clients: Clients = Field(description="The clients; a longer list goes in several requests.")
    dry_run: bool = Field(False, description="Only say what would happen.")
    existing: Literal["keep", "update"] = Field(
        "keep", description="What becomes of clients that there are and that the list says otherwise."
    )
    create_groups: bool = Field(False, description="Create groups that there are not.")

    EXAMPLES: ClassVar = {
        "minimal": example("Two clients", clients=[{"id": "scale-1"}, {"id": "scale-2"}]),
        "full": example(
            "Say what would change",
            clients=[
                {
                    "id": "scale-1",
                    "name": "Press 7",
                    "kind": "printer_pc",
                    "zone": "hall-1",
                    "groups": ["presses"],
                    "tags": ["offset"],
                    "metadata": {"inventory": "PC-0815"},
                    "allowed_actions": ["print", "status"],
                    "rate_limit": 600,
                    "max_commands_per_day": 20_000,
                    "secret": None,
                }
            ],
            dry_run=True,
            existing="update",
            create_groups=True,
        ),
    }

    def to_request(self) -> ImportRequest:
        """As the service takes it."""
        return ImportRequest(
            rows=[client.to_row() for client in self.clients],
            dry_run=self.dry_run,
            update=self.existing == "update",
            create_groups=self.create_groups,
        )


class Difference(Output):
    """A field that the list says otherwise."""

    field: str = Field(description="The name of the field.")
    before: Any = Field(description="What the client has, or had.")
    after: Any = Field(description="What the list says.")


class ImportedClientOutput(Output):
    """What became of a client of the list, or would."""

    id: str = Field(description=CLIENT_ID)
    outcome: Literal["new", "unchanged", "different", "updated"] = Field(
        description="`new`: registered; `unchanged`: it is there, as the list says; `different`: it is there, differs, "
        "and was kept; `updated`: it was changed."
    )
    differences: list[Difference] = Field(description="What the list says otherwise than it was.")
    secret_valid: bool | None = Field(
        description="Whether the secret in the list is that of the client; null: the list has none."
    )
    disabled: bool = Field(description="Whether the client is there, and disabled.")

    @classmethod
    def of(cls, one: Imported) -> "ImportedClientOutput":
        """As the service gives it."""
        differs = [Difference(field=name, before=both[0], after=both[1]) for name, both in one.differs.items()]
        return cls(
            id=one.id,
            outcome=one.outcome,
            differences=differs,
            secret_valid=one.secret_valid,
            disabled=one.disabled,
        )


class ImportOutput(Output):
    """What became of a list."""

    items: list[ImportedClientOutput] = Field(description="The clients in the order of the list.")
    root_key: str = Field(description="The hub's root key, to be pinned in the agents' configuration.")
