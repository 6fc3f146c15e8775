"""Tests for L{gows.web.openapi}: the description of the API."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator

from gows import __version__
from gows.web import apianswers, apirequests
from gows.web.openapi import OpenAPI, describe
from tests.doors import DoorTestCase


def inside(value: Any) -> Iterator[dict[str, Any]]:
    """Iterate over all objects in JSON."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            yield from inside(inner)


class DescriptionTests(DoorTestCase):
    """/openapi.json says what there is."""

    def setUp(self) -> None:
        """Read it."""
        super().setUp()
        self.document = self.answered("GET", "/openapi.json")

    def test_valid(self) -> None:
        """It is OpenAPI 3.1, says a validator that is not ours."""
        OpenAPIV31SpecValidator(self.document).validate()
        self.assertEqual(self.document["openapi"], "3.1.0")
        self.assertEqual(self.document["info"]["version"], __version__)

    def test_calls(self) -> None:
        """All calls are there, each with its answers and what it is for."""
        found = {
            (method.upper(), path): operation
            for path, operations in self.document["paths"].items()
            for method, operation in operations.items()
        }
        self.assertEqual(
            set(found),
            {
                ("POST", "/api/publish"),
                ("POST", "/api/publish/batch"),
                ("POST", "/api/disconnect"),
                ("GET", "/api/connections"),
                ("GET", "/api/top"),
                ("GET", "/api/rooms"),
                ("GET", "/api/rooms/{name}"),
                ("POST", "/api/tickets"),
                ("GET", "/api/info"),
            },
        )
        for (method, path), operation in found.items():
            self.assertTrue(operation["summary"].endswith("."))
            self.assertEqual(set(operation["responses"]), {"200", "4XX", "5XX"})
            self.assertEqual("requestBody" in operation, method == "POST")
            names = {parameter["name"] for parameter in operation["parameters"]}
            self.assertEqual("Idempotency-Key" in names, "publish" in path)
            self.assertEqual("name" in names, path.endswith("}"))
        ids = [operation["operationId"] for operation in found.values()]
        self.assertEqual(len(set(ids)), len(ids))

    def test_references(self) -> None:
        """What it refers to is there."""
        schemas = self.document["components"]["schemas"]
        found = {each["$ref"] for each in inside(self.document) if "$ref" in each}
        self.assertGreater(len(found), 10)
        for reference in found:
            self.assertIn(reference.removeprefix("#/components/schemas/"), schemas)

    def test_patterns(self) -> None:
        """Patterns are those of JSON Schema, with both ends."""
        patterns = [
            each["pattern"] for each in inside(self.document) if "pattern" in each
        ]
        strings = [each for each in patterns if isinstance(each, str)]
        self.assertGreater(len(strings), 5)
        for pattern in strings:
            self.assertNotIn("\\A", pattern)
            self.assertNotIn("\\Z", pattern)
            re.compile(pattern)

    def test_described(self) -> None:
        """Fields say what they are, without our own markup."""
        publish = self.document["components"]["schemas"]["Publish"]
        self.assertEqual(publish["description"], "Say something, as the server itself.")
        self.assertIn("base64", json.dumps(publish["properties"]["binary"]))
        self.assertIs(publish["additionalProperties"], False)
        self.assertEqual(
            publish["oneOf"], [{"required": ["data"]}, {"required": ["binary"]}]
        )
        text = json.dumps(self.document)
        for markup in ("@ivar", "C{", "L{"):
            self.assertNotIn(markup, text)

    def test_everyStruct(self) -> None:
        """Each struct of the API is in it, or is a query's."""
        names = {
            kind.__name__
            for module, base in (
                (apirequests, apirequests.Body),
                (apianswers, apianswers.Answer),
            )
            for kind in vars(module).values()
            if isinstance(kind, type) and issubclass(kind, base) and kind is not base
        }
        queries = {name for name in names if name.endswith("Query")}
        schemas = set(self.document["components"]["schemas"])
        self.assertEqual(names - queries, schemas - {"To"})

    def test_none(self) -> None:
        """Without calls there is nothing but the refusal."""
        document = describe([])
        self.assertEqual(document["paths"], {})
        self.assertEqual(set(document["components"]["schemas"]), {"Refused", "Fault"})
        self.assertTrue(OpenAPI([]).isLeaf)
