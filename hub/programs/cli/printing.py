"""`floorhub print`: a file, or a test page, on a client's printer."""

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.programs.cli import command_options, completion, names_known, output, print_options, sending, targets, testpage
from hub.programs.cli.api import Api, in_path
from hub.programs.cli.exits import ExitCode
from hub.programs.cli.output import Json, either, explained
from hub.programs.cli.words import PRINTERS, word


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
    file: Annotated[Path | None, typer.Argument(help="The file to print; omit it with --test-page.")] = None,
    client: Annotated[
        str | None,
        typer.Option(
            "--client", help="The client; default: the only one that is online.", autocompletion=completion.clients
        ),
    ] = None,
    printer: Annotated[
        str | None,
        typer.Option(
            "--printer", help="Its printer; default: its default or only one.", autocompletion=completion.printers
        ),
    ] = None,
    test_page: Annotated[
        bool, typer.Option("--test-page", help="Print a test page with the time and the printer.")
    ] = False,
    copies: Annotated[int, typer.Option(min=1, max=999, help="How many copies.")] = 1,
    sides: Annotated[Sides | None, typer.Option(help="Default: the printer's setting.")] = None,
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
    fidelity: Annotated[Fidelity, typer.Option(help="exact: fail if the printer does not support an option.")] = (
        Fidelity.CLOSEST
    ),
    priority: sending.Priority = 5,
    reference: sending.Reference = None,
    when_offline: sending.WhenOffline = None,
    expires_in: targets.ExpiresIn = None,
    order_key: command_options.OrderKey = None,
    not_before: command_options.NotBefore = None,
    max_retries: command_options.MaxRetries = None,
    on_interrupt: command_options.Interrupt = None,
    tag: command_options.Tags = None,
    timeout: command_options.Timeout = None,
    wait: sending.Wait = 30,
    key: sending.Key = None,
    as_json: Json = False,
) -> None:
    """Print a file, and show its timeline.

    Exits with 0 if it was printed, or stored with --wait 0.
    """
    if test_page == (file is not None):
        output.misused("Name a file, or say --test-page.", "파일을 지정하거나 --test-page를 쓰십시오.")
    fields = command_options.fields(
        priority=priority,
        reference=reference,
        when_offline=when_offline,
        expires_in=expires_in,
        order_key=order_key,
        not_before=not_before,
        max_retries=max_retries,
        on_interrupt=on_interrupt,
        tags=tag,
        timeout=timeout,
    )
    if file is not None:
        sending.require_readable(file)
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
        body: dict[str, Any] = {"client_id": client_id, "action": "print", "payload": payload, **fields}
        sending.carry_out(api, body, wait=wait, key=key, as_json=as_json, any_document=test_page)


def _find_printer(api: Api, client_id: str | None, printer: str | None) -> tuple[str, str]:
    """The named client and printer; if there is only one to choose from, it need not be named."""
    if client_id is not None and printer is not None:
        names_known.warn(api, client_id, "print", {"printer": printer})
        return client_id, printer
    if client_id is not None:
        candidates = [api.get(f"/api/clients/{in_path(client_id)}")]
    else:
        candidates = api.get("/api/clients", presence="online", limit=200)["items"]
    known = [(item["id"], *found) for item in candidates for found in _printers(item)]
    fitting = [found for found in known if printer in (None, found[1])]
    if printer is None and len(candidates) == 1 and len(fitting) > 1:
        fitting = [found for found in fitting if found[1] in _default_printers(candidates[0])] or fitting
    if len(fitting) != 1:
        if not known:
            output.misused(
                "No printer is known: name --client and --printer.",
                "알려진 프린터가 없습니다. --client와 --printer를 지정하십시오.",
            )
        output.tell(
            either("Which printer? Name one of these:", "어느 프린터입니까? 다음 중 하나를 지정하십시오:")
            if fitting
            else either(
                f"There is no printer {printer}.{names_known.meant(str(printer), _names(known))} These are known:",
                f"프린터 {printer}이(가) 없습니다.{names_known.meant(str(printer), _names(known))} 알려진 프린터:",
            )
        )
        output.tell(
            *(
                f"  --client {owner} --printer {name}   ({word(PRINTERS, state)})"
                for owner, name, state in fitting or known
            )
        )
        raise typer.Exit(ExitCode.USAGE)
    return fitting[0][:2]


def _names(known: list[tuple[str, str, str]]) -> list[str]:
    return [name for _, name, _ in known]


def _default_printers(client: dict[str, Any]) -> list[str]:
    """The printer that a client takes where none is named, if it says one."""
    told = (client.get("state") or {}).get("printers") or []
    return [str(printer.get("name")) for printer in told if printer.get("default") is True]


def _printers(client: dict[str, Any]) -> list[tuple[str, str]]:
    """The names of a client's printers with their states; what a client says without a name is none."""
    told = (client.get("state") or {}).get("printers") or []
    return [(one["name"], str(one.get("state") or "unknown")) for one in told if isinstance(one.get("name"), str)]
