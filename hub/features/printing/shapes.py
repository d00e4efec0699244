"""The shapes of printers."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from hub.api.pages import NextCursor
from hub.api.shapes import Output

PrinterState = Literal["idle", "processing", "stopped", "unreachable", "unknown"]


class PrinterReason(Output):
    """Why a printer is stopped, or soon will be."""

    reason: str = Field(description="IPP's word, such as media-empty, media-jam, cover-open or toner-low.")
    severity: str | None = Field(description="error, warning or report, as the printer reports it.")


class PrinterSupply(Output):
    """Toner, ink, paper or another supply."""

    name: str | None = Field(description="As the printer names it.")
    kind: str | None = Field(description="Such as toner, ink or media.")
    level: int | None = Field(description="Percent; null: the printer does not say.")


class PrinterOutput(Output):
    """A printer as its client last reported it. Of an offline client that may be long ago: see `reported_at`."""

    client_id: str = Field(description="The client that prints on it.")
    client_name: str = Field(description="That client's name for people.")
    zone: str | None = Field(description="That client's zone.")
    presence: Literal["online", "offline", "unknown"] = Field(description="Whether that client is there now.")
    name: str | None = Field(description="Its name in commands (`payload.printer`).")
    title: str | None = Field(description="Its name for people; null: it has no title.")
    default: bool | None = Field(description="Whether it is the client's default printer, for commands that name none.")
    model: str | None = Field(description="Make and model, as the printer reports them.")
    state: PrinterState = Field(description="unreachable: the client reaches no printer at its address.")
    reasons: list[PrinterReason] = Field(description="What the printer reports as a problem; empty: nothing.")
    message: str | None = Field(description="A sentence of the printer for people.")
    accepting_jobs: bool | None = Field(description="false: its queue refuses new jobs.")
    queued_jobs: int | None = Field(description="Jobs in its queue, also those of other programs.")
    supplies: list[PrinterSupply] = Field(description="Toner, ink and the like with their levels.")
    media_ready: list[str] = Field(description="The paper in its trays, by IPP's names.")
    media_default: str | None = Field(description="The paper that it uses if a job names none.")
    reported_at: datetime | None = Field(description="When the client reported it.")


class PrinterPage(Output):
    """Printers in order of their clients' ids."""

    items: list[PrinterOutput] = Field(description="The printers of this page.")
    next_cursor: NextCursor = None
