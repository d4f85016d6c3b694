"""`standfast check`: what is wrong with the file, the server, the key, the rights, the zone. Writes nothing.

Exit 0: nothing is wrong (notes are not wrong). Exit 1: something is, or the command was used wrongly.

`--json` prints one object whose keys stay: `file`, `counts` (`zones`, `endpoints`, `load_balancers`, `azs`; null if
not known), `problems` and `notes` (of the file: `file`, `line`, `column`, `path`, `message`, `remedy`), `zones` (see
`checking/findings.py`), `findings` (`level` ok, note or problem; `area`, `subject`, `text`, `remedy`), `failover`
(`seconds` and its `parts`; null if nothing is checked or not asked), `offline`, `exit`.
"""

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from msgspec import Struct

from standfast import config as configuration
from standfast.cli.texts import counted, finding_lines, paint, say, say_all, seconds
from standfast.config import Config, LoadBalancerConfig
from standfast.config.document import BYTES_MAX
from standfast.config.files import Unreadable, read_text, shown_path
from standfast.errors import EXIT_ERROR, EXIT_FINE, Problem, StandfastError
from standfast.runtime.phrases import listed

if TYPE_CHECKING:
    from standfast.cli.checking.failover import Part
    from standfast.cli.checking.findings import Finding, ZoneReport
    from standfast.config import TsigKey
    from standfast.runtime.place import Place

_ZONES_AT_ONCE: Final = 8
_SUBJECT_WIDTH_MAX: Final = 28


class Checked(Struct, frozen=True):
    """Everything a check came to. `load_balancers` is None if their file is unknown."""

    file: str
    config: Config | None
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]
    offline: bool
    load_balancers: tuple[LoadBalancerConfig, ...] | None = None
    zones: "tuple[ZoneReport, ...]" = ()
    findings: "tuple[Finding, ...]" = ()
    failover: "tuple[Part, ...]" = ()

    @property
    def exit_code(self) -> int:
        """0, or 1 if anything is wrong."""
        wrong = bool(self.problems) or any(finding.level == "problem" for finding in self.findings)
        return EXIT_ERROR if wrong else EXIT_FINE


@click.command("check", short_help="what is wrong with the file, the server, the key, the zone")
@click.option("--config", "file", default="standfast.yaml", envvar="STANDFAST_CONFIG", show_default=True)
@click.option("--offline", is_flag=True, help="look at the file only; ask nobody")
@click.option("--json", "as_json", is_flag=True, help="one JSON object for machines")
@click.option(
    "--print-server-config",
    "printed",
    is_flag=False,
    flag_value="auto",
    default=None,
    type=click.Choice(["bind", "knot", "pdns", "all", "auto"]),
    help="print what the DNS server's configuration must say [default: for the server that answers]",
)
@click.pass_context
def check_command(ctx: click.Context, file: str, offline: bool, as_json: bool, printed: str | None) -> None:
    """Say what is wrong with the file, the server, the key, the rights, the zone, the load balancers.

    Writes nothing: each right is asked for by the very update that would be sent, with a prerequisite that cannot hold.
    """
    checked = check_file(file, offline=offline)
    if printed is not None:
        ctx.exit(_print_server_config(checked, printed, offline))
    if not offline and checked.config is not None:
        if not as_json:
            _show_file(checked)
        checked = check_world(checked)
        if not as_json:
            _show_world(checked)
    elif not as_json:
        _show_file(checked)
    if as_json:
        click.echo(json.dumps(checked_json(checked), indent=2, ensure_ascii=False))
    ctx.exit(checked.exit_code)


def check_file(file: str, *, offline: bool) -> Checked:
    """What the file says, with every problem."""
    name = shown_path(Path(file))
    try:
        text = read_text(Path(file), BYTES_MAX).text
    except Unreadable as error:
        remedy = "Name it with --config, or start from examples/bind.yaml."
        return Checked(name, None, (Problem(name, 0, 0, "", f"The file {error.why}.", remedy),), (), offline)
    config, problems, notes = configuration.check(text, file)
    return Checked(name, config, problems, notes, offline, declared(config) if config else None)


def declared(config: Config) -> tuple[LoadBalancerConfig, ...] | None:
    """The load balancers as far as they are known without asking anybody; None if a source has to be asked."""
    from standfast.runtime.asking import asked_fleet

    return asked_fleet(config, offline=True).load_balancers


def check_world(checked: Checked) -> Checked:
    """With what servers, zones and load balancers say."""
    from msgspec.structs import replace

    from standfast.cli.checking.failover import failover_parts
    from standfast.cli.checking.names import head_plan
    from standfast.cli.checking.sources import source_findings
    from standfast.cli.checking.state import state_findings
    from standfast.cli.checking.store import store_findings
    from standfast.cli.checking.zone import check_zone
    from standfast.runtime.asking import asked_fleet
    from standfast.runtime.observing import at_work, present
    from standfast.runtime.place import Place, policy_of
    from standfast.runtime.secondaries import followed

    config = checked.config
    if config is None:
        return checked
    place = Place(config)
    plan = head_plan(place)
    policies = [policy_of(one) for one in config.endpoints]

    def look(zone: configuration.ZoneConfig) -> "ZoneReport":
        mine = [policy for policy in policies if policy.zone == zone.name]
        if zone.hosted is not None:
            from standfast.cli.checking.hosted import check_hosted, with_checks

            return with_checks(check_hosted(zone, config.stream, mine, plan), config, zone)
        if zone.plugged is not None:
            from standfast.cli.checking.plugged import check_plugged

            return check_plugged(zone, config.stream, mine, plan)
        return check_zone(zone, config.stream, _writers_keys(zone, place), mine, plan)

    with ThreadPoolExecutor(_ZONES_AT_ONCE) as pool:
        zones = tuple(pool.map(look, config.zones))
    findings = [finding for report in zones for finding in report.findings]
    asked = asked_fleet(config)
    findings += source_findings(asked, first=config.registry is not None and not place.has_store)
    findings += _load_balancer_findings(config, asked.load_balancers)
    findings += state_findings(place)
    findings += store_findings(config.store)
    found = followed(one for one in present(place) if one.role == "enactor" and at_work(one))
    parts = failover_parts(config, zones, found)
    known = asked.load_balancers
    return replace(checked, zones=zones, load_balancers=known, findings=tuple(findings), failover=parts)


def _writers_keys(zone: configuration.ZoneConfig, place: "Place") -> "tuple[TsigKey, ...]":
    """The keys that an enactor would try, as far as they can be read here."""
    if zone.provider == "embedded" and not zone.keys.of("enactor"):
        return (place.key(zone),) if place.embedded_key.exists() else ()
    return tuple(one.key for one in zone.keys.of("enactor") if one.key)


def _load_balancer_findings(config: Config, load_balancers: Sequence[LoadBalancerConfig] | None) -> "Iterable[Finding]":
    from standfast.cli.checking.findings import Finding
    from standfast.cli.checking.probing import probe_round, shown_check
    from standfast.cli.checking.vantage import vantage_findings

    if config.health is None:
        return
    if not load_balancers:
        yield Finding("note", "load_balancers", "load balancers", "They are not known for now, so none was asked.")
        return
    check = shown_check(config.health)
    results = probe_round(config.health, load_balancers)
    passed = [one for one in results if one.passed]
    text = f"{len(passed)} of {len(results)} answer {check}"
    if passed:
        slowest = max(passed, key=lambda one: one.took_s)
        text += f" (slowest {slowest.load_balancer}, {seconds(slowest.took_s)})"
    yield Finding("ok" if len(passed) == len(results) else "note", "load_balancers", "load balancers", text)
    reasons: dict[str, list[str]] = {}
    for one in results:
        if not one.passed:
            reasons.setdefault(one.why.partition(" ")[2] if one.known else one.why, []).append(one.load_balancer)
    for why, names in reasons.items():
        yield Finding("note", "load_balancers", listed(names, 3), f"{'Fail' if len(names) > 1 else 'Fails'}: {why}.")
    yield from vantage_findings(config, load_balancers)


def _show_file(checked: Checked) -> None:
    from standfast.cli.checking.failover import counts_line

    for problem in checked.problems:
        say_all(f"{paint('■ WRONG', 'bad')}  {problem}")
    for note in checked.notes:
        say_all(f"{paint('▲ note', 'watch')}   {note}")
    if checked.config is None:
        count = counted(len(checked.problems), "problem")
        say(f"{checked.file}: {count}. Nothing else was looked at.")
        return
    some = checked.load_balancers
    line = counts_line(checked.config, None if some is None else len(some), len({one.az for one in some or ()}))
    say(f"{checked.file}: {line}. No problem in the file.")


def _show_world(checked: Checked) -> None:
    from standfast.cli.checking.failover import failover_lines
    from standfast.cli.checking.findings import levels

    order = {"ok": 0, "problem": 1, "note": 2}
    findings = sorted(checked.findings, key=lambda one: order[one.level])
    longest = max((len(one.subject) for one in findings), default=0)
    say()
    for one, after in zip(findings, [*findings[1:], None], strict=True):
        # a remedy that several share stands behind the last of them
        text = one.text if after is not None and after.remedy == one.remedy else one.sentence
        for line in finding_lines(one.level, one.subject, text, min(longest, _SUBJECT_WIDTH_MAX)):
            say(line)
    if lines := failover_lines(checked.failover):
        say()
        say_all(*lines)
    if wrong := levels(findings)["problem"]:
        say()
        say(f"{paint(counted(wrong, 'problem') + '.', 'bad')} Nothing was written.")


def checked_json(checked: Checked) -> dict[str, Any]:
    """With its stable keys; see the module's docstring."""
    from standfast.cli.checking.failover import failover_json
    from standfast.cli.checking.findings import finding_json, zone_json

    config, some = checked.config, checked.load_balancers
    return {
        "file": checked.file,
        "counts": {
            "zones": len(config.zones) if config else None,
            "endpoints": len(config.endpoints) if config else None,
            "load_balancers": len(some) if some is not None else None,
            "azs": len({one.az for one in some}) if some is not None else None,
        },
        "problems": [_problem_json(problem) for problem in checked.problems],
        "notes": [_problem_json(note) for note in checked.notes],
        "zones": [zone_json(report) for report in checked.zones],
        "findings": [finding_json(finding) for finding in checked.findings],
        "failover": failover_json(checked.failover),
        "offline": checked.offline,
        "exit": checked.exit_code,
    }


def _problem_json(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "path": problem.path,
        "message": problem.message,
        "remedy": problem.remedy,
    }


def _print_server_config(checked: Checked, printed: str, offline: bool) -> int:
    from standfast.cli.printing import printed_config

    if checked.config is None:
        _show_file(checked)
        return EXIT_ERROR
    try:
        text = printed_config(checked.config, printed, ask=printed == "auto" and not offline)
    except StandfastError as error:
        say(str(error), err=True)
        return error.exit_code
    click.echo(text, nl=False)
    return EXIT_FINE
