"""What Standfast tells and to whom: `journal`, `metrics`, `monitor`, `notify`. None of it determines a plan."""

from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Literal, TypeAlias
from urllib.parse import urlsplit

from standfast.config import keys, scalars, secrets
from standfast.config.document import shown
from standfast.config.files import Unreadable, read_text
from standfast.config.scalars import BadValue
from standfast.config.section import Section
from standfast.errors import SecretError

Level: TypeAlias = Literal["info", "warning", "critical"]
LEVELS: Final[tuple[Level, ...]] = ("info", "warning", "critical")
SHIPPED: Final = ("plain", "pagerduty", "slack")
METRICS_PORT: Final = 9753
TEMPLATE_OCTETS_MAX: Final = 64 << 10
_URL_MAX: Final = 2048
_MIB: Final = 1 << 20
_GIB: Final = 1 << 30
_size_of_one: Final = scalars.size(_MIB, _GIB)
_size_of_all: Final = scalars.size(16 * _MIB, 1024 * _GIB)


@dataclass(frozen=True, slots=True)
class JournalConfig:
    """How much is kept: `days` of closed files, `total` octets of all files, `file` octets of one."""

    days: int = 90
    total: int = _GIB
    file: int = 64 * _MIB


@dataclass(frozen=True, slots=True)
class MetricsConfig:
    """Where metrics are served; the port is the planner's, other roles count up from it (`monitoring/serving.py`)."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class MonitorConfig:
    """How often every name is asked for at every name server, and at most how many queries a second."""

    interval_s: float = 10.0
    rate: int = 50


@dataclass(frozen=True, slots=True)
class NotifyConfig:
    """Where notifications go. `webhook` and `key` are secrets. `template` is a name of SHIPPED, or a template's text
    with `file` saying whence."""

    webhook: str = field(repr=False)
    template: str
    file: str
    level: Level
    key: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class SignalsConfig:
    """All of it; None: off."""

    journal: JournalConfig = JournalConfig()
    metrics: MetricsConfig | None = None
    monitor: MonitorConfig = MonitorConfig()
    notify: NotifyConfig | None = None


def bind_signals(root: Section, base: Path) -> SignalsConfig:
    """The four sections. Reads the secrets and the template that they name."""
    return SignalsConfig(_journal(root), _metrics(root), _monitor(root), _notify(root, base))


def _journal(root: Section) -> JournalConfig:
    default = JournalConfig()
    section = root.section("journal", keys.JOURNAL)
    if section is None:
        return default
    journal = JournalConfig(
        days=section.read("days", scalars.whole("a number of days", 1, 3650), default.days),
        total=section.read("total", _size_of_all, default.total),
        file=section.read("file", _size_of_one, default.file),
    )
    if journal.file * 4 > journal.total:
        message = "One file may be more than a quarter of the total: little of the past would be kept."
        section.note("file", message, "Keep `file` below a quarter of `total`.")
    return journal


def _metrics(root: Section) -> MetricsConfig | None:
    section = root.section("metrics", keys.METRICS)
    if section is None:
        return None
    remedy = f"Give an address and a port: listen: 127.0.0.1:{METRICS_PORT}."
    listen = section.require("listen", _listen, remedy)
    if listen is None:
        return None
    if not ip_address(listen[0]).is_loopback:
        message = "Whoever reaches this address reads the names of endpoints and how they stand."
        section.note("listen", message, "Let a firewall admit only Prometheus, or keep to 127.0.0.1.")
    return MetricsConfig(*listen)


def _listen(text: str) -> tuple[str, int]:
    host, port = scalars.server(METRICS_PORT)(text)
    try:
        ip_address(host)
    except ValueError:
        remedy = f"Give an address of this machine: 127.0.0.1:{METRICS_PORT}."
        raise BadValue(f"{shown(text)} is not an address to listen on.", remedy) from None
    return host, port


def _monitor(root: Section) -> MonitorConfig:
    default = MonitorConfig()
    section = root.section("monitor", keys.MONITOR)
    if section is None:
        return default
    return MonitorConfig(
        interval_s=section.read("interval", scalars.duration(0.5, 3600), default.interval_s),
        rate=section.read("rate", scalars.whole("a number of queries a second", 1, 10_000), default.rate),
    )


def _notify(root: Section, base: Path) -> NotifyConfig | None:
    section = root.section("notify", keys.NOTIFY)
    if section is None:
        return None
    webhook = _secret(section, "webhook", base)
    if section.get("webhook") is None:
        section.missing("webhook", "Name where its URL is kept: webhook: env:STANDFAST_WEBHOOK.")
    elif webhook is not None and (problem := _url_problem(webhook)):
        section.problem("webhook", *problem)
    template, file = _template(section, base)
    key = _secret(section, "key", base)
    if template == "pagerduty" and section.get("key") is None:
        section.missing("key", "PagerDuty needs the integration's routing key: key: env:PAGERDUTY_KEY.")
    level: Level = section.read("level", scalars.choice("a level", LEVELS), "warning")
    return NotifyConfig(webhook or "", template, file, level, key or "")


def _secret(section: Section, name: str, base: Path) -> str | None:
    reference = section.read(name, str, None)
    if reference is None:
        return None
    try:
        secret = secrets.read_secret(reference, base)
    except SecretError as error:
        remedy = error.remedy.replace(" with: (umask 077; tsig-keygen NAME > FILE); or mend", ", or mend")
        section.problem(name, error.message, remedy.replace("with the key alone", "with it alone"))
        return None
    for sentence, remedy in secret.notes:
        section.note(name, sentence, remedy)
    return secret.text.strip()


def _url_problem(url: str) -> tuple[str, str] | None:
    """What is wrong with a webhook's URL, which is never repeated: it is the secret."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "What the webhook names is not a URL.", "Put the whole URL there and nothing else: https://…"
    if len(url) > _URL_MAX or not url.isascii() or not url.isprintable() or " " in url or not host:
        return "What the webhook names is not a URL.", "Put the whole URL there and nothing else: https://…"
    if parts.scheme == "https" or (parts.scheme == "http" and _loopback(host)):
        return None
    return "The webhook's URL is not https.", "Use https; http is for this machine alone (127.0.0.1)."


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _template(section: Section, base: Path) -> tuple[str, str]:
    """(name, "") of a shipped one, or (text, file)."""
    given = section.read("template", str, "plain")
    if given in SHIPPED:
        return given, ""
    if not given.startswith("file:"):
        remedy = f"Give {', '.join(SHIPPED)} or file:PATH of your own."
        section.problem("template", f"{shown(given)} is not a template.", remedy)
        return "plain", ""
    try:
        return read_text(base / given.removeprefix("file:"), TEMPLATE_OCTETS_MAX).text, given.removeprefix("file:")
    except Unreadable as error:
        remedy = "Mend the path, which is relative to this file; docs/notifications.md says what a template has."
        section.problem("template", f"The template {error.why}.", remedy)
        return "plain", ""
