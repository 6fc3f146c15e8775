"""The description of the operators' API (OpenAPI 3.1), made of what decodes it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from twisted.web.resource import Resource
from twisted.web.server import Request

from gows import __version__
from gows.dialects.fields import snake
from gows.web.answers import JSON, answer
from gows.web.apianswers import Refused
from gows.web.calls import Call
from gows.web.sessions import COOKIE

PATH: Final = "/openapi.json"

_REFERENCE: Final = "#/components/schemas/{name}"
_IVAR: Final = re.compile(r"@ivar (\w+): (.*?)(?=\n@ivar |\Z)", re.DOTALL)

_MARKUP: Final = re.compile(r"C\{([^}]*)\}")

_EITHER: Final = {
    "To": ("room", "key"),
    "Publish": ("data", "binary"),
    "Disconnect": ("key", "session"),
}
"""Of which fields exactly one is there, by the struct's name."""

_PATH_NAME: Final = {
    "name": "name",
    "in": "path",
    "required": True,
    "description": "A room's name, or *.",
    "schema": {
        "type": "string",
        "pattern": r"^(?:\*|[A-Za-z0-9_-][A-Za-z0-9._-]{0,63})$",
    },
}
_IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Within 5 minutes, what comes with the same is done once.",
    "schema": {"type": "string", "pattern": r"^[!-~]{1,255}$"},
}


def describe(calls: Iterable[Call]) -> dict[str, Any]:
    """Describe an API."""
    calls = tuple(calls)
    types: list[type] = [Refused]
    for call in calls:
        types += [each for each in (call.takes, call.asks, call.answers) if each]
    _, schemas = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    for name, schema in schemas.items():
        _tidy(name, schema)
    queries = {
        call.asks.__name__: schemas.pop(call.asks.__name__)
        for call in calls
        if call.asks is not None
    }
    paths: dict[str, dict[str, Any]] = {}
    for call in calls:
        query = None if call.asks is None else queries[call.asks.__name__]
        operation = _operationOf(call, query)
        paths.setdefault(call.path, {})[call.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "gows: the operators' door",
            "version": __version__,
            "description": "For backends and operators.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "security": [{"key": []}, {"session": []}, {}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
        },
    }


def _operationOf(call: Call, query: dict[str, Any] | None) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "query", "schema": schema}
        for name, schema in ({} if query is None else query["properties"]).items()
    ]
    if call.takesName:
        parameters.append(_PATH_NAME)
    if call.isIdempotent:
        parameters.append(_IDEMPOTENCY_KEY)
    operation: dict[str, Any] = {
        "operationId": call.do.__name__,
        "summary": call.summary,
        "parameters": parameters,
        "responses": {
            "200": _content("It is done.", call.answers),
            "4XX": _content("It is refused.", Refused),
            "5XX": _content("It cannot be done now.", Refused),
        },
    }
    if call.takes is not None:
        operation["requestBody"] = {"required": True, **_content("", call.takes)}
    return operation


def _content(description: str, kind: type) -> dict[str, Any]:
    schema = {"$ref": _REFERENCE.format(name=kind.__name__)}
    content: dict[str, Any] = {"content": {JSON: {"schema": schema}}}
    return {"description": description, **content} if description else content


def _tidy(name: str, schema: dict[str, Any]) -> None:
    """Have each field say what it is, and rules be those of JSON Schema."""
    described = _MARKUP.sub(r"\1", schema.get("description", ""))
    text, _, fields = described.partition("@ivar ")
    schema["description"] = " ".join(text.split())
    properties = schema.get("properties", {})
    for found in _IVAR.finditer(f"@ivar {fields}" if fields else ""):
        properties[snake(found[1])]["description"] = " ".join(found[2].split())
    for rule in _rulesIn(properties):
        rule["pattern"] = rule["pattern"].replace(r"\A", "^").replace(r"\Z", "$")
    if name in _EITHER:
        schema["oneOf"] = [{"required": [field]} for field in _EITHER[name]]


def _rulesIn(schema: object) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema
        for inner in schema.values():
            yield from _rulesIn(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _rulesIn(inner)


class OpenAPI(Resource):
    """The description, as JSON."""

    isLeaf = True

    def __init__(self, calls: Iterable[Call]) -> None:
        """Describe these."""
        super().__init__()
        self._body = msgspec.json.format(msgspec.json.encode(describe(calls)))

    def render_GET(self, request: Request) -> int:
        """Answer it."""
        return answer(request, self._body, JSON)
