"""`floorhub broker`: the configuration of a Mosquitto of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from hub.programs.cli import output
from hub.programs.cli.output import Json, explained

app = typer.Typer(help="The configuration of a broker of your own.", no_args_is_help=True)


@app.command()
def render(
    folder: Annotated[Path, typer.Argument(help="Where the broker will read its files; made if it is missing.")],
    database_url: Annotated[str, typer.Option(envvar="FLOORHUB_DATABASE_URL", help="The hub's database.")],
    bind: Annotated[str, typer.Option(help="The address without TLS.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="MQTT without TLS.")] = 1883,
    websocket_port: Annotated[int, typer.Option(help="MQTT over WebSocket, without TLS.")] = 9001,
    tls_certificate: Annotated[Path | None, typer.Option(help="PEM; adds listeners for the network.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM; readable by the broker's user.")] = None,
    tls_port: Annotated[int, typer.Option(help="MQTT with TLS.")] = 8883,
    tls_websocket_port: Annotated[int, typer.Option(help="MQTT over WebSocket, with TLS.")] = 8884,
    plugin: Annotated[Path | None, typer.Option(help="The dynamic-security plugin; default: this system's.")] = None,
    owner: Annotated[str | None, typer.Option(help="The broker's user, when it is another (needs root).")] = None,
    data_dir: Annotated[
        Path | None, typer.Option(envvar="FLOORHUB_DATA_DIR", help="Where the accounts' secrets are kept.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write mosquitto.conf, acl and dynsec.json for the hub's accounts and all clients of the database.

    Secrets of the accounts: FLOORHUB_MQTT_PASSWORD (hub), FLOORHUB_MQTT_ADMIN_PASSWORD and FLOORHUB_MQTT_OPS_PASSWORD.
    Without the first: those in keys/broker-accounts.json of FLOORHUB_DATA_DIR, made when there are none.
    """
    from broker_config.render import OWN_FOLDER, BrokerValues
    from hub.programs.cli import broker_files  # late: it brings the database's libraries

    with explained(as_json=as_json):
        folder = folder.absolute()
        values = BrokerValues(
            plugin=plugin or broker_files.installed_plugin(),
            dynsec_file=folder / "dynsec.json",
            acl_file=folder / "acl",
            persistence_folder=folder / "persistence",
            include_folder=folder / OWN_FOLDER,
            mqtt_port=port,
            websocket_port=websocket_port,
            bind=bind,
            tls=broker_files.tls(tls_certificate, tls_key, tls_port, tls_websocket_port),
        )
        broker_files.tell_exposed(bind, port, websocket_port)
        passwords, kept = broker_files.passwords(data_dir)
        files, clients = broker_files.write(values, database_url, passwords, broker_files.user(owner))
    if as_json:
        output.print_json({"files": [str(file) for file in files], "clients": clients, "accounts": sorted(passwords)})
        return
    for file in files:
        output.say(str(file))
    output.say(f"{output.number_of(clients, 'client')}; accounts: {', '.join(sorted(passwords))}.")
    if kept is not None:
        output.say(f"The accounts' secrets are in {kept}.")
    output.say("A broker that runs keeps its own list: start it again to use these files.")
