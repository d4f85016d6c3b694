"""AWS's REST-XML and query protocols, driven by the service models that botocore carries.

Nothing here knows an operation: shapes, locations and names all come from botocore's own description of the service,
so what an unmodified SDK sends is read, and what it expects is written.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import botocore.session
from botocore.model import OperationModel, ServiceModel, Shape, StructureShape

from standfast.laboratory.route53.faults import ServiceError

Parameters = dict[str, Any]
"""An operation's input or output by the names botocore's users know; lists and structures nested."""


@dataclass(frozen=True)
class Route:
    """An operation and the method and path it is asked by."""

    method: str
    path: re.Pattern[str]
    operation: OperationModel


class RestXml:
    """A REST-XML service: requests into parameters, results into documents."""

    def __init__(self, service: str) -> None:
        self.model: ServiceModel = botocore.session.Session().get_service_model(service)
        self.namespace = f"https://{service}.amazonaws.com/doc/{self.model.api_version}/"
        operations = [self.model.operation_model(name) for name in self.model.operation_names]
        self.routes = [Route(one.http["method"], _pattern(one.http["requestUri"]), one) for one in operations]

    def find(self, method: str, path: str) -> tuple[OperationModel, dict[str, str]]:
        """The operation asked for and what stands in its path; raises ServiceError for none."""
        for route in self.routes:
            if route.method == method and (found := route.path.fullmatch(path)):
                return route.operation, {key: unquote(value) for key, value in found.groupdict().items()}
        raise ServiceError("UnknownOperationException", f"{method} {path} is no operation of this service", 404)

    def read(self, operation: OperationModel, path: dict[str, str], query: dict[str, str], body: bytes) -> Parameters:
        """The parameters of a request. Raises ServiceError (MalformedInput, InvalidInput) for what is none."""
        shape = operation.input_shape
        if shape is None:
            return {}
        given: Parameters = {}
        root = _document(body) if body else None
        for name, member in shape.members.items():
            wire_name = member.serialization.get("name", name)
            location = member.serialization.get("location")
            if location == "uri":
                given[name] = _scalar(member, path[wire_name])
            elif location == "querystring":
                if wire_name in query:
                    given[name] = _scalar(member, query[wire_name])
            elif root is not None and (node := root.find(f"{{*}}{wire_name}")) is not None:
                given[name] = _value(member, node)
        _require(shape, given)
        return given

    def write(self, operation: OperationModel, result: Parameters) -> tuple[int, dict[str, str], bytes]:
        """HTTP status, headers and document of a result."""
        shape = operation.output_shape
        headers, members = {}, {}
        for name, value in result.items():
            member = shape.members[name]
            if member.serialization.get("location") == "header":
                headers[member.serialization["name"]] = str(value)
            else:
                members[name] = value
        root = ElementTree.Element(shape.name, xmlns=self.namespace)
        _fill(root, shape, members)
        return operation.http.get("responseCode", 200), headers, _text(root)

    def refuse(self, error: ServiceError, request: str) -> bytes:
        """The document of an error."""
        root = ElementTree.Element("ErrorResponse", xmlns=self.namespace)
        inner = ElementTree.SubElement(root, "Error")
        for name, value in (("Type", "Sender"), ("Code", error.code), ("Message", error.message)):
            ElementTree.SubElement(inner, name).text = _printable(value)
        ElementTree.SubElement(root, "RequestId").text = request
        return _text(root)


def query_answer(model: ServiceModel, action: str, result: Parameters, request: str) -> bytes:
    """The document that the query protocol (STS) answers an action with."""
    operation = model.operation_model(action)
    root = ElementTree.Element(f"{action}Response", xmlns=model.metadata["xmlNamespace"])
    _fill(ElementTree.SubElement(root, f"{action}Result"), operation.output_shape, result)
    ElementTree.SubElement(ElementTree.SubElement(root, "ResponseMetadata"), "RequestId").text = request
    return _text(root)


def _pattern(uri: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\+?\}", uri.partition("?")[0].rstrip("/"))
    return re.compile("".join(f"(?P<{one}>[^/]+)" if n % 2 else re.escape(one) for n, one in enumerate(parts)) + "/?")


def _document(body: bytes) -> ElementTree.Element:
    # No document of an SDK has a declaration of entities: refused before the parser could expand any.
    if b"<!" in body:
        raise ServiceError("MalformedInput", "Unexpected declaration in the document")
    try:
        return ElementTree.fromstring(body)  # noqa: S314
    except ElementTree.ParseError as wrong:
        raise ServiceError("MalformedInput", f"Could not parse the document: {wrong}") from None


def _value(shape: Shape, node: ElementTree.Element) -> Any:
    if isinstance(shape, StructureShape):
        found = {}
        for name, member in shape.members.items():
            child = node.find(f"{{*}}{member.serialization.get('name', name)}")
            if child is not None:
                found[name] = _value(member, child)
        _require(shape, found)
        return found
    if shape.type_name == "list":
        return [_value(shape.member, child) for child in node]
    return _scalar(shape, node.text or "")


def _require(shape: StructureShape, found: Parameters) -> None:
    missing = [name for name in shape.required_members if name not in found]
    if missing:
        raise ServiceError("InvalidInput", f"Invalid request: Missing field '{missing[0]}' in {shape.name}")


def _scalar(shape: Shape, text: str) -> Any:
    try:
        if shape.type_name in ("integer", "long"):
            return int(text)
        if shape.type_name == "boolean":
            return {"true": True, "false": False}[text.strip().lower()]
    except (ValueError, KeyError):
        raise ServiceError("MalformedInput", f"{text!r} is no {shape.type_name}") from None
    return text


def _fill(node: ElementTree.Element, shape: StructureShape, members: Parameters) -> None:
    for name, member in shape.members.items():  # in the model's order, which is that of the documented syntax
        if members.get(name) is not None:
            _write(node, member.serialization.get("name", name), member, members[name])


def _write(parent: ElementTree.Element, name: str, shape: Shape, value: Any) -> None:
    node = ElementTree.SubElement(parent, name)
    if isinstance(shape, StructureShape):
        _fill(node, shape, value)
    elif shape.type_name == "list":
        for one in value:
            _write(node, shape.member.serialization.get("name", "member"), shape.member, one)
    elif isinstance(value, bool):
        node.text = "true" if value else "false"
    elif isinstance(value, datetime.datetime):
        node.text = value.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    else:
        node.text = _printable(str(value))


def _printable(text: str) -> str:
    """A text without what XML 1.0 has no way to say."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", text)


def _text(root: ElementTree.Element) -> bytes:
    return b'<?xml version="1.0"?>\n' + ElementTree.tostring(root)
