"""A notification as the receiver wants it: a template gives JSON, of bounded size, or nothing at all.

Templates are Jinja's, in its sandbox: they see the fields of a notification as text and cannot reach the process.
Whatever comes out must be one JSON value; what is no JSON is not sent.
"""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from standfast.config import NotifyConfig
from standfast.errors import StandfastError

from .news import Notification

OCTETS_MAX: Final = 64 << 10
TEXT_MAX: Final = 4096
FIELDS: Final = ("action", "level", "key", "summary", "command", "name", "event", "at")


class Renderer:
    """One template, ready. Raises StandfastError if it is none."""

    def __init__(self, config: NotifyConfig, stream: str, source: str) -> None:
        self._file = config.file or config.template
        self._common: Mapping[str, str] = {"stream": stream, "source": source, "secret": config.key}
        text = config.template if config.file else shipped(config.template)
        environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
        environment.globals.clear()
        try:
            self._template = environment.from_string(text)
        except TemplateError as error:
            raise StandfastError(f"The template {self._file} can't be used: {error}.", _REMEDY) from None

    def body(self, one: Notification) -> bytes:
        """The octets to send; empty: nothing is to be sent. Raises StandfastError."""
        fields = {name: str(getattr(one, name))[:TEXT_MAX] for name in FIELDS}
        length, parts = 0, []
        try:
            for part in self._template.generate({**fields, **self._common}):
                length += len(part)
                if length > OCTETS_MAX:
                    raise StandfastError(f"The template {self._file} gives more than 64 KiB.", _REMEDY)
                parts.append(part)
        except StandfastError:
            raise
        except Exception as error:  # whatever an operator's template comes to: it must not end the sender
            raise StandfastError(f"The template {self._file} fails: {type(error).__name__}.", _REMEDY) from None
        text = "".join(parts).strip()
        if not text:
            return b""
        try:
            return json.dumps(json.loads(text), ensure_ascii=False).encode()
        except ValueError:
            raise StandfastError(f"The template {self._file} gives no JSON.", _REMEDY) from None


_REMEDY: Final = "Mend it: docs/notifications.md says what a template has."


def shipped(name: str) -> str:
    """The text of a template that comes with Standfast."""
    return (files(__package__) / "templates" / f"{name}.json.j2").read_text(encoding="utf-8")
