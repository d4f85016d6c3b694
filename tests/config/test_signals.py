"""The sections `journal`, `metrics`, `monitor` and `notify`: defaults, every mistake, and secrets that stay secret."""

from pathlib import Path

import pytest

from standfast.config import Config, JournalConfig, MetricsConfig, MonitorConfig, SignalsConfig, check

TEXT = """\
zone: {name: lb.example.com, provider: embedded}
health: none
load_balancers: {lb-1: {az: a, ip: 192.0.2.1}}
endpoints: {www: {}}
"""
URL = "https://hooks.example.com/services/T000/B000/very-secret"


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", f"{URL}\n")
    monkeypatch.setenv("KEY", "routing-key")
    monkeypatch.setenv("PLAIN", "http://hooks.example.com/very-secret")
    monkeypatch.setenv("LOCAL", "http://127.0.0.1:9999/hook")
    monkeypatch.setenv("NO_URL", "very-secret")
    monkeypatch.setenv("BAD_PORT", "https://hooks.example.com:very-secret/")


def read(more: str) -> Config:
    config, problems, _ = check(TEXT + more, "standfast.yaml")
    assert config is not None, problems
    return config


def test_defaults() -> None:
    assert read("").signals == SignalsConfig(JournalConfig(90, 1 << 30, 64 << 20), None, MonitorConfig(10.0, 50), None)


def test_what_can_be_said() -> None:
    signals = read(
        "journal: {days: 30, total: 2GiB, file: 8 MiB}\n"
        "metrics: {listen: '[::1]:9900'}\n"
        "monitor: {interval: 2s, rate: 500}\n"
        "notify: {webhook: env:HOOK, template: pagerduty, key: env:KEY, level: critical}\n"
    ).signals
    assert signals.journal == JournalConfig(30, 2 << 30, 8 << 20)
    assert signals.metrics == MetricsConfig("::1", 9900)
    assert signals.monitor == MonitorConfig(2.0, 500)
    assert signals.notify is not None
    assert (signals.notify.webhook, signals.notify.key, signals.notify.level) == (URL, "routing-key", "critical")
    assert "secret" not in repr(signals)
    assert "routing" not in repr(signals)


def test_the_port_has_a_default_and_the_digest_does_not_change() -> None:
    config = read("metrics: {listen: 127.0.0.1}\nnotify: {webhook: env:LOCAL}\n")
    assert config.signals.metrics == MetricsConfig("127.0.0.1", 9753)
    assert config.signals.notify is not None
    assert (config.signals.notify.template, config.signals.notify.level) == ("plain", "warning")
    assert config.digest == read("").digest, "what is told to whom determines no plan"


def test_a_template_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "mine.json.j2").write_text('{"text": {{ summary | tojson }}}')
    config, problems, _ = check(
        TEXT + "notify: {webhook: env:HOOK, template: file:mine.json.j2}\n", str(tmp_path / "standfast.yaml")
    )
    assert config is not None, problems
    assert config.signals.notify is not None
    assert config.signals.notify.template == '{"text": {{ summary | tojson }}}'
    assert config.signals.notify.file == "mine.json.j2"


@pytest.mark.parametrize(
    ("text", "path", "message", "remedy"),
    [
        ("journal: {days: 0}", "journal.days", '"0" is not a number of days.', "from 1 to 3650"),
        ("journal: {total: 1GB}", "journal.total", '"1GB" is not a size.', "64MiB or 1GiB"),
        ("journal: {file: 2GiB}", "journal.file", "out of range", "from 1 MiB to 1024 MiB"),
        ("journal: {size: 1GiB}", "journal", '"size" is not a key', "Known here: days, total, file."),
        ("metrics: {}", "metrics", "listen is missing.", "listen: 127.0.0.1:9753"),
        ("metrics: {listen: ops1.example.com}", "metrics.listen", "is not an address to listen on", "of this machine"),
        ("metrics: {listen: 127.0.0.1:0}", "metrics.listen", '"0" is not a port.', "from 1 to 65535"),
        ("monitor: {rate: 0}", "monitor.rate", "is not a number of queries a second", "from 1 to 10000"),
        ("monitor: {interval: 1}", "monitor.interval", '"1" is not a duration.', "5s"),
        ("notify: {}", "notify", "webhook is missing.", "webhook: env:STANDFAST_WEBHOOK"),
        (f"notify: {{webhook: '{URL}'}}", "notify.webhook", "This is not a reference to a secret.", "env:NAME"),
        ("notify: {webhook: env:NOT_SET}", "notify.webhook", "NOT_SET' is not set", "Export it"),
        ("notify: {webhook: file:no-such}", "notify.webhook", "no-such", "Create it, or mend the path"),
        ("notify: {webhook: env:PLAIN}", "notify.webhook", "The webhook's URL is not https.", "Use https"),
        ("notify: {webhook: env:NO_URL}", "notify.webhook", "is not a URL", "https://"),
        ("notify: {webhook: env:BAD_PORT}", "notify.webhook", "is not a URL", "https://"),
        ("notify: {webhook: env:HOOK, template: pagerdty}", "notify.template", "is not a template", "pagerduty"),
        ("notify: {webhook: env:HOOK, template: file:none.j2}", "notify.template", "The template", "notifications.md"),
        ("notify: {webhook: env:HOOK, template: pagerduty}", "notify", "key is missing.", "key: env:PAGERDUTY_KEY"),
        ("notify: {webhook: env:HOOK, level: loud}", "notify.level", '"loud" is not a level.', "info or warning"),
    ],
)
def test_every_mistake_has_its_place_and_remedy(text: str, path: str, message: str, remedy: str) -> None:
    config, problems, _ = check(f"{TEXT}{text}\n", "standfast.yaml")
    assert config is None
    assert [(one.line, one.path) for one in problems] == [(5, path)], problems
    assert message in problems[0].message
    assert remedy in problems[0].remedy
    assert "very-secret" not in str(problems[0])


def test_several_mistakes_are_told_at_once() -> None:
    text = "journal: {days: x}\nmetrics: {listen: x y}\nmonitor: {rate: x}\nnotify: {webhook: env:NOT_SET, level: x}\n"
    _, problems, _ = check(TEXT + text, "standfast.yaml")
    assert [one.line for one in problems] == [5, 6, 7, 8, 8]


def test_what_is_open_to_others_is_noted() -> None:
    _, problems, notes = check(f"{TEXT}metrics: {{listen: 0.0.0.0}}\njournal: {{total: 16MiB}}\n", "standfast.yaml")
    assert not problems
    assert [(one.line, one.path) for one in notes[-2:]] == [(5, "metrics.listen"), (6, "journal.file")]
