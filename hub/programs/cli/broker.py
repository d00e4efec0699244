"""`floorhub broker`: the configuration of a Mosquitto of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from hub.programs.cli import output
from hub.programs.cli.app import App, Change
from hub.programs.cli.output import Json, either, explained
from hub.programs.embedded.data_folder import OTHER_NAME, VARIABLE

app = App(help="Configuration for your own Mosquitto.")


@app.command(cls=Change)
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
    machine_certificates: Annotated[
        bool,
        typer.Option(
            help="MQTT with TLS asks for a certificate of the hub's machines; no WebSocket with TLS then. Needs keys/ "
            "of the data folder."
        ),
    ] = False,
    plugin: Annotated[Path | None, typer.Option(help="The dynamic-security plugin; default: this system's.")] = None,
    owner: Annotated[str | None, typer.Option(help="The broker's user, if it is a different one (needs root).")] = None,
    data_dir: Annotated[
        Path | None, typer.Option(envvar=[VARIABLE, OTHER_NAME], help="Where the accounts' secrets are kept.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write mosquitto.conf, acl and dynsec.json.

    With the hub's accounts and all clients of the database. Secrets of the accounts: FLOORHUB_MQTT_PASSWORD (hub),
    FLOORHUB_MQTT_ADMIN_PASSWORD and FLOORHUB_MQTT_OPS_PASSWORD. If the first is not set, the secrets come from
    keys/broker-accounts.json of the data folder, or are created there.
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
            tls=broker_files.tls(
                tls_certificate,
                tls_key,
                tls_port,
                tls_websocket_port,
                folder / "machines.pem" if machine_certificates else None,
            ),
        )
        broker_files.tell_exposed(bind, port, websocket_port)
        passwords, kept = broker_files.passwords(data_dir)
        authority = broker_files.machine_authority(data_dir) if machine_certificates else None
        files, clients = broker_files.write(values, database_url, passwords, broker_files.user(owner), authority)
    if as_json:
        output.print_json({"files": [str(file) for file in files], "clients": clients, "accounts": sorted(passwords)})
        return
    for file in files:
        output.say(str(file))
    names = ", ".join(sorted(passwords))
    output.say(
        either(f"{output.number_of(clients, 'client')}; accounts: {names}.", f"클라이언트 {clients}대, 계정: {names}.")
    )
    if kept is not None:
        output.say(
            either(
                f"The accounts' secrets are in {kept}. Give them to each hub: hub.password as FLOORHUB_MQTT_PASSWORD, "
                "admin.password as FLOORHUB_MQTT_ADMIN_PASSWORD.",
                f"계정의 암호는 {kept}에 있습니다. 각 허브에 hub.password는 FLOORHUB_MQTT_PASSWORD로, admin.password는 "
                "FLOORHUB_MQTT_ADMIN_PASSWORD로 지정하십시오.",
            )
        )
    output.say(
        either(
            "A running broker keeps its own list: restart it to use these files.",
            "실행 중인 브로커는 자체 목록을 유지합니다. 이 파일을 쓰려면 다시 시작하십시오.",
        )
    )
