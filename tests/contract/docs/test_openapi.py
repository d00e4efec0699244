"""The API's description, as programs are generated from it: everything is named and described, and errors are typed."""

import ast
import http.client
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hub.api.field_catalogue import FIELDS, PATTERNS, of_sentence
from hub.api.problems import MEDIA_TYPE
from hub.api.server import application
from hub.app import Hub
from tests.contract.docs.pages import rows
from tests.contract.json_objects import objects
from tests.support.hubs import settings
from tests.support.paths import ROOT

OPERATIONS = [
    "becomeFirstAdministrator",
    "cancelBatch",
    "cancelCommand",
    "changeGroupMembers",
    "changePassword",
    "confirmPassword",
    "createBatch",
    "createClient",
    "createCommand",
    "createGroup",
    "createPasswordLink",
    "createSchedule",
    "createUpload",
    "createUser",
    "decideCommand",
    "deleteActionPolicy",
    "deleteGroup",
    "deleteSchedule",
    "deleteUser",
    "disableClient",
    "dismissDeadLetters",
    "downloadDocument",
    "enableClient",
    "endOtherSessions",
    "endSession",
    "endUserSessions",
    "eraseAudit",
    "explainCommand",
    "exportAudit",
    "firstAdministratorState",
    "getAuditRow",
    "getBatch",
    "getBroker",
    "getClient",
    "getClientHistory",
    "getClientPermissions",
    "getCommand",
    "getCommandLogs",
    "getDeadLetterSummary",
    "getDownload",
    "getGroup",
    "getHealth",
    "getMetrics",
    "getReadiness",
    "getSchedule",
    "getUser",
    "importClients",
    "listActions",
    "listAudit",
    "listBatches",
    "listClients",
    "listCommands",
    "listDeadLetters",
    "listGroupMembers",
    "listGroups",
    "listNextTimes",
    "listPrinters",
    "listSchedules",
    "listSecurityEvents",
    "listSessions",
    "listUserSessions",
    "listUsers",
    "pauseBatch",
    "ping",
    "pollMessages",
    "refreshTokens",
    "replayDeadLetters",
    "reportError",
    "reportResult",
    "reportStatus",
    "restartBroker",
    "resumeBatch",
    "retireClient",
    "retryCommand",
    "rotateClientSecret",
    "setActionPolicy",
    "setUserPassword",
    "signIn",
    "signOut",
    "spendPasswordLink",
    "streamMessages",
    "unfenceClient",
    "updateClient",
    "updateClientPermissions",
    "updateGroup",
    "updatePermissions",
    "updateSchedule",
    "updateUser",
    "uploadDocument",
    "uploadFile",
    "verifyAudit",
    "whoAmI",
]
OF_ACCESS = [
    *("checkAccess", "createIntegration", "createIntegrationGrant", "createIntegrationKey", "createPrincipalGrant"),
    *("createUserGrant", "createUserKey", "deleteGrant", "deleteIntegration", "getIntegration", "getKey"),
    *("listGrants", "listIntegrationGrants", "listIntegrationKeys", "listIntegrations", "listIntegrationTemplates"),
    *("listKeys", "listPrincipalGrants", "listUserGrants", "listUserKeys", "revokeKey", "rotateKey"),
    "updateIntegration",
]
OF_PAIRING = [
    "renewCertificate",
    *("claimCode", "confirmPairing", "createEnrolment", "createPairing", "describeHub", "getEnrolment", "getPairing"),
    *("listEnrolments", "listPairings", "lookAtCode", "openPage", "revokeEnrolment", "revokePairing"),
]
"""Names of functions in programs that exist: one that changes breaks them."""
PREDICATES = [
    "is",
    "must",
    "has",
    "does",
    "can",
    "cannot",
    "only",
    "never",
    "changes",
    "contradicts",
    "contains",
    "names",
    "would",
]
"""How a sentence that follows a field's name may begin."""
BY_LIBRARY = {"Successful Response", "Validation Error", *http.client.responses.values()}


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    hub = Hub(settings(data_dir=tmp_path_factory.mktemp("data")))
    return application(hub.parts, [router for subject in hub.subjects for router in subject.routers]).openapi()


def operations(described: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in described["paths"].values():
        yield from methods.values()


def properties(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each property of each schema in a part of the description, with its place."""
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield from ((f"{path}.{name}", field) for name, field in schema["properties"].items())
        for name, inner in schema.items():
            yield from properties(inner, f"{path}/{name}")
    elif isinstance(schema, list):
        for place, inner in enumerate(schema):
            yield from properties(inner, f"{path}/{place}")


def test_operations_are_called_as_they_were(described: dict[str, Any]) -> None:
    assert sorted(operation["operationId"] for operation in operations(described)) == sorted(
        [*OPERATIONS, *OF_ACCESS, *OF_PAIRING]
    )


def test_everything_has_a_description(described: dict[str, Any]) -> None:
    found = list(properties({name: part for name, part in described.items() if name != "paths"}))
    found += properties(described["paths"])
    assert len(found) > 500
    assert [place for place, field in found if not field.get("description")] == []
    missing = []
    for operation in operations(described):
        name = operation["operationId"]
        missing += [name for part in ("summary", "description") if not operation.get(part)]
        missing += [(name, each["name"]) for each in operation.get("parameters", ()) if not each.get("description")]
        answers = operation["responses"].items()
        missing += [(name, status) for status, answer in answers if not answer.get("description")]
        assert BY_LIBRARY.isdisjoint(answer["description"] for _, answer in answers), name
    assert missing == []
    shapes = described["components"]["schemas"]
    assert [name for name, shape in shapes.items() if not shape.get("description")] == []


def test_tags_and_servers_are_described(described: dict[str, Any]) -> None:
    used = {tag for operation in operations(described) for tag in operation["tags"]}
    assert {tag["name"] for tag in described["tags"]} == used
    assert all(tag["description"].endswith(".") for tag in described["tags"])
    assert [server["url"] for server in described["servers"]] == ["/"]


def test_every_error_is_a_problem_and_nothing_else(described: dict[str, Any]) -> None:
    for operation in operations(described):
        for status, answer in operation["responses"].items():
            if status >= "400" and operation["operationId"] != "getReadiness":
                assert answer["content"] == {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    assert {"code", "detail", "errors"} <= described["components"]["schemas"]["Problem"]["properties"].keys()


def test_headers_are_spelled_as_people_know_them(described: dict[str, Any]) -> None:
    named = {
        each["name"] for one in operations(described) for each in one.get("parameters", ()) if each["in"] == "header"
    }
    assert named == {
        "Accept-Language",
        "Content-Digest",
        "Idempotency-Key",
        "User-Agent",
        "X-Floorhub-Session",
        "traceparent",
    }


def test_a_parameter_is_there_or_not(described: dict[str, Any]) -> None:
    parameters = [each for operation in operations(described) for each in operation.get("parameters", ())]
    assert [each["name"] for each in parameters for part in objects(each["schema"]) if part.get("type") == "null"] == []


def sent_shapes(described: dict[str, Any]) -> set[str]:
    """The names of the shapes in bodies that callers send."""
    shapes, found = described["components"]["schemas"], set[str]()
    ahead: list[Any] = [operation["requestBody"] for operation in operations(described) if "requestBody" in operation]
    while ahead:
        for part in objects(ahead.pop()):
            name = str(part.get("$ref", "")).removeprefix("#/components/schemas/")
            if name and name not in found:
                found.add(name)
                ahead.append(shapes[name])
    return found


def test_nothing_that_callers_may_leave_out_becomes_required_by_a_default(described: dict[str, Any]) -> None:
    sent = sent_shapes(described)
    assert {"CommandInput", "PrintPayload", "BackOffInput", "ScheduleInput", "TargetInput"} <= sent
    fields = [(name, field) for name in sent for field in properties(described["components"]["schemas"][name])]
    assert [(name, place) for name, (place, field) in fields if "default" in field] == []
    priority = described["components"]["schemas"]["CommandInput"]["properties"]["priority"]
    assert priority["description"].endswith("Default: 5.")


def test_the_payloads_of_built_in_actions_are_shapes(described: dict[str, Any]) -> None:
    shapes = described["components"]["schemas"]
    for name in ("CommandInput", "CommandFields"):
        linked = [each["$ref"].rpartition("/")[2] for each in shapes[name]["properties"]["payload"]["anyOf"]]
        assert linked[0] == "PrintPayload"
        assert linked[-1] == "AnyPayload"  # a site's own actions
        assert {"CollectLogsPayload", "DelayPayload", "DisplayPayload", "EmptyPayload"} <= set(linked)
    assert "document" in shapes["PrintPayload"]["required"]
    assert {"printer", "copies", "media"} <= shapes["PrintPayload"]["properties"].keys()
    assert shapes["AnyPayload"]["additionalProperties"] is True


def test_every_body_has_a_minimal_and_a_full_example_that_fit(described: dict[str, Any]) -> None:
    bodies = 0
    for operation in operations(described):
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body is None:
            continue
        bodies += 1
        assert {"minimal", "full"} <= body["examples"].keys(), operation["operationId"]
        schema = {**body["schema"], "components": described["components"]}
        for example in body["examples"].values():
            assert example["summary"]
            Draft202012Validator(schema).validate(example["value"])
        shapes = {part["$ref"].rpartition("/")[2] for part in objects(body["schema"]) if "$ref" in part}
        fields = {name for shape in shapes for name in described["components"]["schemas"][shape]["properties"]}
        left_out = fields - {name for example in body["examples"].values() for name in example["value"]}
        assert len(shapes) == 1 or "simple" in body["examples"]
        # Beside `expires_in_s`, and beside `ids`, `filter` and `cursor` of which the first page has none.
        assert left_out <= {"not_before", "expires_at", "cursor"}, operation["operationId"]
    assert bodies > 15


def test_answers_have_examples_that_fit_and_are_whole(described: dict[str, Any]) -> None:
    shapes = described["components"]["schemas"]
    found = {name: example for name, shape in shapes.items() for example in shape.get("examples", ())}
    assert {
        "ClientOutput",
        "CommandOutput",
        "DocumentOutput",
        "NewClientOutput",
        "Problem",
        "RetryOutput",
    } <= found.keys()
    for name, example in found.items():
        schema = {"$ref": f"#/components/schemas/{name}", "components": described["components"]}
        Draft202012Validator(schema).validate(example)


def test_files_are_bodies_that_generators_know(described: dict[str, Any]) -> None:
    for path, method in (("/api/documents", "post"), ("/api/uploads/{token}", "put")):
        content = described["paths"][path][method]["requestBody"]["content"]
        assert content["application/octet-stream"]["schema"]["format"] == "binary"
        assert {"application/pdf", "image/png", "multipart/form-data"} <= content.keys()


def test_every_pattern_has_its_own_sentence(described: dict[str, Any]) -> None:
    """So that nobody has to read a regular expression."""
    patterns = {part["pattern"] for part in objects(described) if isinstance(part.get("pattern"), str)}
    assert patterns - PATTERNS.keys() == set()
    assert set(PATTERNS.values()) <= FIELDS.keys()


def test_sentences_have_the_same_places_in_both_languages() -> None:
    for code, sentence in FIELDS.items():
        english, korean = (set(re.findall(r"(?<!\{)\{(\w+)\}(?!\})", text)) for text in sentence)
        assert english == korean, code
        assert re.search("[가-힣]", sentence.ko), code
        assert sentence.ko.endswith((".", "}")), code
        assert not sentence.en.endswith("."), code
        assert sentence.en.split()[0] in PREDICATES, code


def contract_sentences() -> Iterator[str]:
    """What the contract says of payloads that its types allow: results of `contradiction`, and of PayloadError."""
    files = [ROOT / "schemas" / name for name in ("actions.py", "names.py")]
    said: list[ast.expr] = []
    for node in (node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))):
        if isinstance(node, ast.FunctionDef) and node.name == "contradiction":
            returned = [each.value for each in ast.walk(node) if isinstance(each, ast.Return)]
            said += [value.elts[1] for value in returned if isinstance(value, ast.Tuple)]
            said += [value for value in returned if isinstance(value, ast.JoinedStr)]
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "PayloadError" and len(node.args) == 2:
            said.append(node.args[1])
    for text in said:
        if isinstance(text, ast.Constant):
            yield str(text.value)
        elif isinstance(text, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "x" for part in text.values)


def test_what_the_contract_says_has_a_sentence_in_both_languages() -> None:
    sentences = list(contract_sentences())
    assert len(sentences) >= 6
    assert [sentence for sentence in sentences if of_sentence(sentence)[0] == "refused"] == []


def raised_codes() -> Iterator[str]:
    """The codes that the hub's code gives problems of fields."""
    place = {"FieldProblem": 1, "invalid": 0, "UrlError": 0}
    for file in (ROOT / "hub").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and (name := getattr(node.func, "id", "")) in place:
                given = node.args[place[name] :][:1]
                yield from (str(each.value) for each in given if isinstance(each, ast.Constant))


def test_every_code_that_is_raised_has_its_sentence() -> None:
    raised = set(raised_codes())
    assert {"time", "no_such_client", "url_scheme", "cursor", "document_by_id"} <= raised
    assert raised - FIELDS.keys() == set()


def test_the_table_of_field_errors_is_the_catalogue_s() -> None:
    written = {row[0]: tuple(row[1:3]) for row in rows("docs/reference/field-errors.md") if row[0] in FIELDS}
    plain = {code: tuple(text.replace("{{", "{").replace("}}", "}") for text in both) for code, both in FIELDS.items()}
    assert written == {code: tuple(text.replace("`", "") for text in both) for code, both in plain.items()}
