"""`floorhub print`: a file, or a test page, on a client's printer."""

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.programs.cli import output, print_options, sending, testpage
from hub.programs.cli.api import Api, in_path
from hub.programs.cli.output import Json, explained


class Sides(StrEnum):
    """As IPP calls them."""

    ONE = "one-sided"
    LONG = "two-sided-long-edge"
    SHORT = "two-sided-short-edge"


class Fidelity(StrEnum):
    """How closely a printer must do what is asked."""

    EXACT = "exact"
    CLOSEST = "closest"


def print_file(
    file: Annotated[Path | None, typer.Argument(help="What to print; leave it out with --test-page.")] = None,
    client: Annotated[str | None, typer.Option(help="The client; default: the only one that is online.")] = None,
    printer: Annotated[str | None, typer.Option(help="Its printer; default: its default or only one.")] = None,
    test_page: Annotated[bool, typer.Option("--test-page", help="Print a page that says when and where.")] = False,
    copies: Annotated[int, typer.Option(min=1, max=999)] = 1,
    sides: Annotated[Sides | None, typer.Option(help="Default: as the printer is set.")] = None,
    pages: print_options.Pages = None,
    collate: print_options.Collate = None,
    media: print_options.Media = None,
    tray: print_options.Tray = None,
    color: print_options.ColorMode = None,
    orientation: print_options.Turned = None,
    fit: print_options.Fit = None,
    n_up: print_options.NumberUp = None,
    quality: print_options.PrintQuality = None,
    title: Annotated[str | None, typer.Option(help="The job's name; default: the file's.")] = None,
    content_type: sending.ContentType = None,
    fidelity: Annotated[Fidelity, typer.Option(help="exact: refuse what the printer cannot do as asked.")] = (
        Fidelity.CLOSEST
    ),
    priority: sending.Priority = 5,
    reference: sending.Reference = None,
    wait: sending.Wait = 30,
    key: sending.Key = None,
    as_json: Json = False,
) -> None:
    """Print a file and show its timeline. Exits 0 if it was printed (or stored, with --wait 0), else 1."""
    if test_page == (file is not None):
        output.fail("Name a file, or say --test-page.", 2)
    with explained(as_json=as_json), Api.from_environment() as api:
        client_id, printer_name = _find_printer(api, client, printer)
        if file is not None:
            document = sending.upload(api, file, content_type)
        else:
            now = time.strftime("%Y-%m-%d %H:%M:%S %Z")
            lines = ["Floorhub", "", f"Test page for {printer_name} of {client_id}", now]
            document = str(api.upload(testpage.page(lines), "application/pdf", "test-page.pdf")["id"])
        payload: dict[str, Any] = {"printer": printer_name, "document": document, "copies": copies}
        payload["title"] = title or (sending.name_of(file, 200) or "Untitled" if file is not None else "Test page")
        if sides is not None:
            payload["sides"] = sides.value
        payload |= print_options.payload(
            pages=pages,
            collate=collate,
            media=media,
            tray=tray,
            color=color,
            orientation=orientation,
            fit=fit,
            n_up=n_up,
            quality=quality,
        )
        if fidelity is not Fidelity.CLOSEST:
            payload["fidelity"] = fidelity.value
        body: dict[str, Any] = {"client_id": client_id, "action": "print", "payload": payload, "priority": priority}
        if reference is not None:
            body["reference"] = reference
        sending.carry_out(api, body, wait=wait, key=key, as_json=as_json)


def _find_printer(api: Api, client_id: str | None, printer: str | None) -> tuple[str, str]:
    """The named client and printer; where there is but one to choose from, it need not be named."""
    if client_id is not None and printer is not None:
        return client_id, printer
    if client_id is not None:
        candidates = [api.get(f"/api/clients/{in_path(client_id)}")]
    else:
        candidates = api.get("/api/clients", presence="online", limit=200)["items"]
    known = [(item["id"], found) for item in candidates for found in _printers(item)]
    fitting = [(owner, found) for owner, found in known if printer in (None, found)]
    if printer is None and len(candidates) == 1 and len(fitting) > 1:
        fitting = [found for found in fitting if found[1] in _default_printers(candidates[0])] or fitting
    if len(fitting) != 1:
        if not known:
            output.fail("No printer is known: name --client and --printer.", 2)
        output.tell("Which printer? Name one of these:" if fitting else "There is no such printer; these are known:")
        output.tell(*(f"  --client {owner} --printer {found}" for owner, found in fitting or known))
        raise typer.Exit(2)
    return fitting[0]


def _default_printers(client: dict[str, Any]) -> list[str]:
    """The printer that a client takes where none is named, if it says one."""
    told = (client.get("state") or {}).get("printers") or []
    return [str(printer.get("name")) for printer in told if printer.get("default") is True]


def _printers(client: dict[str, Any]) -> list[str]:
    """The names of a client's printers; what a client says without one is none."""
    told = (client.get("state") or {}).get("printers") or []
    return [printer["name"] for printer in told if isinstance(printer.get("name"), str)]
