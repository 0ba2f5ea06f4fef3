"""Reads requests to run a workflow: the form of WES 1.1, with its JSON in text fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email import policy
from email.message import Message
from email.parser import HeaderParser
from typing import Any, Protocol
from urllib.parse import parse_qsl

import orjson

from rehearsal.errors import shown
from rehearsal.node.access.yaml_values import described
from rehearsal.node.wes.algorithms import VARIABLE
from rehearsal.web.problem import Problem
from rehearsal.web.request_limits import check_keys, check_nesting

MAX_BODY = 1 << 20  # bytes
MOST_PARTS, MOST_HEAD = 100, 1024  # of a form; bytes of the header fields of one part
MAX_PARAMETERS = 64 << 10  # bytes; they are handed to the sandbox as an argument
WORKFLOW_TYPE, TYPE_VERSIONS = "SMK", ("1.0", "1.0.0", "9")
ENGINE = "snakemake"
OBJECTS = ("workflow_params", "tags", "workflow_engine_parameters")
TEXTS = (
    *("workflow_type", "workflow_type_version", "workflow_url"),
    *("workflow_engine", "workflow_engine_version"),
)
ATTACHMENT = "workflow_attachment"
FIELDS = (*OBJECTS, *TEXTS, ATTACHMENT)
FORM, URL_FORM = "multipart/form-data", "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class RunRequest:
    """A request to run a workflow.

    Attributes:
        workflow_url: Digest or name of an algorithm.
        parameters: Its parameters.
        tags: Texts of the caller's.
        given: The fields as they were given, for the record of the run.
        attachments: Files of the request, by name.
    """

    workflow_url: str
    parameters: Mapping[str, Any]
    tags: Mapping[str, str]
    given: Mapping[str, Any]
    attachments: Mapping[str, bytes] = field(default_factory=dict)


def read_run_request(content_type: str, body: bytes) -> RunRequest:
    """Read a request.

    Args:
        content_type: The header of this name.
        body: The body.

    Returns:
        The request.

    Raises:
        Problem: The form is invalid, or has something that this service does not run (400, 415).
    """
    texts, attachments = _read_form(content_type, body)
    given: dict[str, Any] = {name: texts[name] for name in TEXTS if name in texts}
    for name in OBJECTS:
        if name in texts:
            given[name] = _read_object(name, texts[name])
    for name in ("workflow_type", "workflow_type_version", "workflow_url"):
        if not given.get(name):
            raise Problem.mismatch(name, "a text", "nothing")
    _require(given, "workflow_type", (WORKFLOW_TYPE,))
    _require(given, "workflow_type_version", TYPE_VERSIONS)
    _require(given, "workflow_engine", (ENGINE,))
    if given.get("workflow_engine_parameters"):
        expected = "none, as the node decides how its engine runs"
        raise Problem.mismatch("workflow_engine_parameters", expected, "some")
    tags = given.get("tags", {})
    for key, value in tags.items():
        if not isinstance(value, str):
            raise Problem.mismatch(f"tags.{key}", "a text", described(value))
    return RunRequest(
        given["workflow_url"], given.get("workflow_params", {}), tags, given, attachments
    )


def _require(given: Mapping[str, Any], name: str, known: Sequence[str]) -> None:
    if name in given and given[name] not in known:
        raise Problem.mismatch(name, f"one of {', '.join(known)}", shown(given[name]))


def _read_object(name: str, text: str) -> dict[str, Any]:
    content = text.encode()
    if len(content) > MAX_PARAMETERS:
        expected = f"at most {MAX_PARAMETERS} bytes"
        raise Problem.mismatch(name, expected, f"{len(content)} bytes")
    check_nesting(content, most=MAX_PARAMETERS)
    try:
        values = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise Problem.mismatch(name, "a JSON object", f"invalid JSON ({error})") from None
    if not isinstance(values, dict):
        raise Problem.mismatch(name, "a JSON object", described(values))
    check_keys(content)
    return values


def _read_form(content_type: str, body: bytes) -> tuple[dict[str, str], dict[str, bytes]]:
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in (FORM, URL_FORM):
        raise Problem.mismatch("content-type", f"{FORM} or {URL_FORM}", shown(kind), 415)
    pairs: list[tuple[str, str | None, bytes]]
    if kind == URL_FORM:
        pairs = [(name, None, value.encode()) for name, value in parse_qsl(_text(body), True)]
    else:
        pairs = _read_parts(content_type, body)
    texts: dict[str, str] = {}
    attachments: dict[str, bytes] = {}
    for name, file_name, content in pairs:
        if name not in FIELDS:
            raise Problem.mismatch("the form", f"one of {', '.join(FIELDS)}", shown(name))
        if name == ATTACHMENT:
            _attach(attachments, file_name or "", content)
        elif name in texts:
            raise Problem.mismatch(name, "one value", "2 values")
        else:
            texts[name] = _text(content)
    return texts, attachments


def _attach(attachments: dict[str, bytes], name: str, content: bytes) -> None:
    if name in attachments:
        raise Problem.mismatch(ATTACHMENT, "a name for each file", f"{shown(name)} twice")
    attachments[name] = content


def _read_parts(content_type: str, body: bytes) -> list[tuple[str, str | None, bytes]]:
    """Read the parts of a form (RFC 7578): name, name of the file, and content."""
    boundary = _fields(f"content-type: {content_type}").get_boundary("")
    pieces = (b"\r\n" + body).split(f"\r\n--{boundary}".encode())
    if not boundary or len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise Problem.mismatch("the body", f"a form of type {FORM}", "another form or a part of it")
    if len(pieces) - 2 > MOST_PARTS:
        expected = f"at most {MOST_PARTS} parts"
        raise Problem.mismatch("the form", expected, str(len(pieces) - 2))
    return [_read_part(piece) for piece in pieces[1:-1]]


def _read_part(piece: bytes) -> tuple[str, str | None, bytes]:
    head, _, content = piece.partition(b"\r\n\r\n")
    if len(head) > MOST_HEAD:
        expected = f"headers of at most {MOST_HEAD} bytes a part"
        raise Problem.mismatch("the form", expected, f"{len(head)} bytes")
    fields = _fields(_text(head).lstrip())
    name = fields.get_param("name", header="content-disposition")
    coding = fields.get("content-transfer-encoding", "binary").strip().lower()
    if not isinstance(name, str) or coding not in ("7bit", "8bit", "binary"):
        raise Problem.mismatch("the form", "parts with a name and plain content", "another part")
    return name, fields.get_filename(), content


def _fields(head: str) -> Message:
    """Read header fields, by the parser that takes time in proportion to their length."""
    return HeaderParser(policy=policy.compat32).parsestr(head)


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Problem.mismatch("the form", "text in UTF-8", "other bytes") from None


class KnownVariables(Protocol):
    """What can be asked about the people of a node."""

    def __contains__(self, name: object) -> bool:
        """Tell whether the node has a variable."""
        ...


def check_parameters(
    parameters: Mapping[str, Any], schema: Mapping[str, Any], known: KnownVariables
) -> list[str]:
    """Check the parameters of an algorithm by its schema.

    Args:
        parameters: The parameters.
        schema: A JSON Schema. Texts of the format ``variable`` name variables of people.
        known: The variables that the node has.

    Returns:
        The variables that the parameters name, in order.

    Raises:
        Problem: The parameters do not fit the schema, or name an unknown variable (400).
    """
    import jsonschema

    named: dict[str, None] = {}

    def is_known(name: object) -> bool:
        if isinstance(name, str) and name in known:
            named[name] = None
        return not isinstance(name, str) or name in known

    checker = jsonschema.FormatChecker(formats=())
    checker.checks(VARIABLE)(is_known)
    validator = jsonschema.Draft202012Validator(schema, format_checker=checker)
    error = jsonschema.exceptions.best_match(validator.iter_errors(parameters))
    if error is not None:
        where = f"workflow_params{error.json_path.removeprefix('$')}"
        if error.validator == "format" and error.validator_value == VARIABLE:
            raise Problem.mismatch(where, "a variable of this node's people", shown(error.instance))
        if error.validator == "additionalProperties":
            permitted = error.schema.get("properties", {})
            expected = f"keys of the algorithm's schema ({', '.join(permitted) or 'none'})"
            extra = [shown(one) for one in error.instance if one not in permitted]
            raise Problem.mismatch(where, expected, ", ".join(extra))
        expected = f"a value that fits {error.validator} of the algorithm's schema"
        raise Problem.mismatch(where, expected, _line(error.message))
    return sorted(named)


def _line(message: str) -> str:
    return message.splitlines()[0][:200]
