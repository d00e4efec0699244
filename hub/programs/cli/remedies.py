"""What to do about an error of the hub, at the command line.

The hub's sentences are for whoever calls its API: they name routes, fields and headers. Here those parts are said with
commands and options. A test compares them with the hub's catalogue.
"""

from collections.abc import Mapping

from schemas.terminal import shows_korean

_Phrases = tuple[tuple[str, str], ...]
PHRASES: Mapping[str, tuple[_Phrases, _Phrases]] = {
    "validation_error": (
        (("correct those that `errors` lists and send it again.", "correct these:"),),
        (("`errors`에 적힌 항목을 고쳐 다시 보내십시오.", "다음을 고치십시오."),),
    ),
    "unauthorized": (
        (
            (
                "send `Authorization: Bearer KEY`; the first administrator's key is in the file admin.key. "
                "A client sends its id and its secret with HTTP Basic, or its secret as KEY. If your key or secret is",
                "set FLOORHUB_KEY to a key of this hub; the first administrator's key is in the file admin.key. "
                "If your key is",
            ),
        ),
        (
            (
                "`Authorization: Bearer KEY`를 보내십시오. 첫 관리자 키는 admin.key 파일에 있습니다. "
                "클라이언트는 자신의 id와 비밀 값을 HTTP Basic으로 보내거나 비밀 값을 KEY로 보냅니다. "
                "키나 비밀 값이 더 이상",
                "FLOORHUB_KEY에 이 허브의 키를 설정하십시오. 첫 관리자 키는 admin.key 파일에 있습니다. 키가 더 이상",
            ),
        ),
    ),
    "invalid_token": (
        (("sign in again with POST /api/auth/login.", "set FLOORHUB_KEY to a key, or to a new access token."),),
        (("POST /api/auth/login으로 다시 로그인하십시오.", "FLOORHUB_KEY에 키나 새 액세스 토큰을 설정하십시오."),),
    ),
    "token_expired": (
        (("get the next one with POST /api/auth/refresh.", "set FLOORHUB_KEY to a key, or to a new access token."),),
        (("POST /api/auth/refresh로 새 토큰을 받으십시오.", "FLOORHUB_KEY에 키나 새 액세스 토큰을 설정하십시오."),),
    ),
    "confirm_password": (
        (
            (
                "Send POST /api/auth/confirm with your password, then send this request again.",
                "Set FLOORHUB_KEY to a key, or to the access token of a new sign-in.",
            ),
        ),
        (
            (
                "POST /api/auth/confirm으로 비밀번호를 보낸 뒤 이 요청을 다시 보내십시오.",
                "FLOORHUB_KEY에 키나 새로 로그인한 액세스 토큰을 설정하십시오.",
            ),
        ),
    ),
    "client_exists": (
        (("set `replace`;", "run `floorhub pair` with `--replace`;"),),
        (("`replace`를 설정하십시오.", "`floorhub pair`에 `--replace`를 붙이십시오."),),
    ),
    "user_not_found": (
        (("see GET /api/users or `floorhub user list`.", "see `floorhub user list`."),),
        (("GET /api/users 또는 `floorhub user list`로", "`floorhub user list`로"),),
    ),
    "client_not_found": (
        (
            (
                "check the id, or ask an administrator for a grant for this client. An administrator registers a new "
                "client with POST /api/clients or `floorhub client add`.",
                "`floorhub client list` shows all clients that you are allowed to see. Ask an administrator for a "
                "grant for this client; or register it as an administrator with `floorhub client add`.",
            ),
        ),
        (
            (
                "id를 확인하거나 관리자에게 이 클라이언트에 대한 접근 허용을 요청하십시오. 새 클라이언트는 관리자가 "
                "POST /api/clients 또는",
                "`floorhub client list`로 확인하거나 관리자에게 이 클라이언트에 대한 접근 허용을 요청하십시오. "
                "새 클라이언트는 관리자가",
            ),
        ),
    ),
    "client_disabled": (
        (("can enable it again.", "can enable it again with `floorhub client enable`."),),
        (("관리자가 다시 활성화할", "관리자가 `floorhub client enable`로 다시 활성화할"),),
    ),
    "action_not_allowed": (
        (
            (
                "can add it to the client's allowed_actions.",
                "can change the client's actions with `floorhub client set-limits --allow`.",
            ),
        ),
        (("allowed_actions에 추가할", "`floorhub client set-limits --allow`로 허용할"),),
    ),
    "client_offline": (
        (
            ("the command has when_offline=fail:", "the command must not wait for it:"),
            ("use when_offline=queue to", "use `--when-offline queue` to"),
        ),
        (("when_offline=queue를 쓰십시오.", "`--when-offline queue`를 쓰십시오."),),
    ),
    "rate_limited": (
        (("or raise its rate_limit.", "or raise it with `floorhub client set-limits --rate-limit`."),),
        (("rate_limit을 높이십시오.", "`floorhub client set-limits --rate-limit`으로 높이십시오."),),
    ),
    "quota_exceeded": (
        (("or raise max_commands_per_day.", "or raise it with `floorhub client set-limits --per-day`."),),
        (("한도를 높이십시오.", "`floorhub client set-limits --per-day`로 한도를 높이십시오."),),
    ),
    "document_not_found": (
        (("upload it with POST /api/documents.", "name the file with --file."),),
        (("POST /api/documents로 올리십시오.", "--file로 파일을 지정하십시오."),),
    ),
    "path_not_allowed": (
        (
            (
                "upload the file with POST /api/documents and name its id as `document`.",
                "name a file of this machine with --file.",
            ),
        ),
        (
            (
                "POST /api/documents로 파일을 올리고 그 id를 `document`에 적으십시오.",
                "이 컴퓨터의 파일은 --file로 지정하십시오.",
            ),
        ),
    ),
    "file_not_found": (
        (("upload the file with POST /api/documents.", "name a file of this machine with --file."),),
        (("POST /api/documents로 파일을 올리십시오.", "이 컴퓨터의 파일을 --file로 지정하십시오."),),
    ),
    "body_too_large": (
        (("upload large files with POST /api/documents.", "name large files with --file."),),
        (("큰 파일은 POST /api/documents로 올리십시오.", "큰 파일은 --file로 지정하십시오."),),
    ),
    "replay_needs_force": (
        (("with force=true.", "with --force."),),
        (("force=true로 다시 ", "--force로 다시 "),),
    ),
    "group_not_found": (
        (
            (
                "check the id. An administrator creates a group with POST /api/groups or `floorhub group add`.",
                "`floorhub group list` shows the groups that you are allowed to see. An administrator creates a "
                "group with `floorhub group add`.",
            ),
        ),
        (
            (
                "id를 확인하십시오. 그룹은 관리자가 POST /api/groups 또는 `floorhub group add`로",
                "`floorhub group list`로 확인하십시오. 그룹은 관리자가 `floorhub group add`로",
            ),
        ),
    ),
    "no_targets": (
        (("with GET /api/clients,", "with `floorhub client list` and `floorhub group list`,"),),
        (("GET /api/clients로 그룹", "`floorhub client list`와 `floorhub group list`로 그룹"),),
    ),
    "schedule_not_found": (
        (("see GET /api/schedules or `floorhub schedule list`.", "see `floorhub schedule list`."),),
        (("GET /api/schedules 또는 `floorhub schedule list`로", "`floorhub schedule list`로"),),
    ),
    "integration_not_found": (
        (("see GET /api/integrations or `floorhub integration list`.", "see `floorhub integration list`."),),
        (("GET /api/integrations 또는 `floorhub integration list`로", "`floorhub integration list`로"),),
    ),
    "principal_not_found": (
        (("see GET /api/users and GET /api/integrations, or `floorhub", "see `floorhub"),),
        (("GET /api/users와 GET /api/integrations, 또는 `floorhub user", "`floorhub user"),),
    ),
    "key_not_found": (
        (("see GET /api/keys or `floorhub key list`.", "see `floorhub key list`."),),
        (("GET /api/keys 또는 `floorhub key list`로", "`floorhub key list`로"),),
    ),
    "grant_not_found": (
        (("see GET /api/grants or `floorhub grant list`.", "see `floorhub grant list`."),),
        (("GET /api/grants 또는 `floorhub grant list`로", "`floorhub grant list`로"),),
    ),
    "idempotency_key_reused": (
        (
            (
                "was used with another body: use a new key for a new request.",
                "was used for something else: use another --key for a new request.",
            ),
        ),
        (
            (
                "다른 본문에 쓰였습니다. 새 요청에는 새 키를 쓰십시오.",
                "다른 요청에 쓰였습니다. 새 요청에는 다른 --key를 쓰십시오.",
            ),
        ),
    ),
}
"""By the code of the error: what the hub says, and what is said here, in English and in Korean."""


def at_the_command_line(code: str, detail: str) -> str:
    """A sentence of the hub, with commands and options in place of routes and fields."""
    for said, meant in PHRASES.get(code, ((), ()))[shows_korean()]:
        detail = detail.replace(said, meant)
    return detail
