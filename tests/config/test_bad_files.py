"""Every kind of mistake in standfast.yaml: the line, the place and the remedy that its author is shown."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from standfast.config import check, load
from standfast.errors import ConfigError

GOOD = """\
zone: {name: lb.example.com, provider: embedded}
health: {http: /healthz}
load_balancers:
  lb-a1: {az: a, ip: [192.0.2.11, "2001:db8:a::11"]}
  lb-b1: {az: b, ip: [192.0.2.21]}
endpoints:
  www: {}
"""


@dataclass(frozen=True)
class Bad:
    """`GOOD` with one text replaced, and the problem that must be among those found."""

    old: str
    new: str
    line: int
    path: str
    message: str
    remedy: str


LBS = GOOD[GOOD.index("\n  lb-a1") : GOOD.index("endpoints")]

BAD = {
    "unknown key": Bad("health:", "heatlh:", 2, "", '"heatlh" is not a key here.', "Did you mean health?"),
    "unknown key, another word": Bad("az: a,", "az: a, weight: 3,", 4, "load_balancers.lb-a1", "weight", "capacity?"),
    "unknown key, nothing near": Bad("www: {}", "www: {q: 1}", 7, "endpoints.www", '"q" is not', "Known here: ttl,"),
    "merge key": Bad("www: {}", "www: {<<: {}}", 7, "endpoints.www", "<<", "no merge key"),
    "no zone": Bad(GOOD.split("\n")[0], "stream: main", 1, "", "zone is missing.", "Give zone:"),
    "zone and zones": Bad("health:", "zones: []\nhealth:", 2, "zones", "both here", "Keep one"),
    "zones no list": Bad(GOOD.split("\n")[0], "zones: {}", 1, "zones", "A list of zones", "- name:"),
    "zone twice": Bad(
        GOOD.split("\n")[0],
        "zones: [{name: a.example, provider: embedded}, {name: A.EXAMPLE., provider: embedded}]",
        1,
        "zones[1].name",
        "Zone a.example is here twice.",
        "Keep one",
    ),
    "no health": Bad("health: {http: /healthz}\n", "", 1, "", "health is missing.", "Give health: {http: /healthz}"),
    "no zone name": Bad("name: lb.example.com, ", "", 1, "zone", "name is missing.", "lb.example.com"),
    "no az": Bad("az: a, ", "", 4, "load_balancers.lb-a1", "az is missing.", "az: a."),
    "no address": Bad("{az: b, ip: [192.0.2.21]}", "{az: b}", 5, "load_balancers.lb-b1", "ip is missing.", "ip: ["),
    "value missing": Bad("www: {}", "www: {ttl: }", 7, "endpoints.www.ttl", "The value is missing.", "Give one"),
    "list for a value": Bad("www: {}", "www: {ttl: [1]}", 7, "endpoints.www.ttl", "A list cannot", "single value"),
    "value for a mapping": Bad("www: {}", "www: yes", 7, "endpoints.www", "A mapping must", "ttl"),
    "list for endpoints": Bad("\n  www: {}", " [www]", 6, "endpoints", "A mapping must", "name: {…}"),
    "tag": Bad("www: {}", "www: {ttl: !!int 60}", 7, "endpoints.www.ttl", "Tags", "Leave the tag out"),
    "key twice": Bad("www: {}", "www: {}\n  www: {}", 8, "endpoints.www", "a second time; first in line 7", "Keep one"),
    "key no word": Bad("www: {}", "[a]: {}", 7, "endpoints", "A key is a single word", "`key: value`"),
    "not YAML": Bad("www: {}", "www: {", 8, "", "This is not YAML", "brackets"),
    "tab": Bad("  www: {}", "\twww: {}", 7, "", "This is not YAML", "indentation"),
    "second document": Bad("www: {}", "www: {}\n---\na: b", 8, "", "second document", "one document"),
    "bad zone name": Bad("lb.example.com", "lb..example.com", 1, "zone.name", "empty label", ""),
    "wildcard zone": Bad("lb.example.com", '"*.example.com"', 1, "zone.name", "cannot be a zone", "the apex"),
    "bad name": Bad("www: {}", "w w: {}", 7, "endpoints.w w", "Label 'w w'", ""),
    "long label": Bad("www: {}", "w" * 64 + ": {}", 7, "endpoints." + "w" * 64, "characters.", ""),
    "long name": Bad("www: {}", ".".join(["w" * 62] * 4) + ": {}", 7, "endpoints.", "octets", ""),
    "star inside": Bad("www: {}", "a.*: {}", 7, "endpoints.a.*", "`*` can only be the whole first label", ""),
    "server's name": Bad("embedded", "bind9", 1, "zone.provider", "is not a provider.", "Give rfc2136 (BIND, Knot"),
    "provider": Bad(
        "embedded", "embeded", 1, "zone.provider", '"embeded" is not a provider.', "Did you mean embedded?"
    ),
    "stream": Bad("health:", "stream: Main_1\nhealth:", 2, "stream", "is not a stream", "a-z, 0-9 and hyphen"),
    "store": Bad("health:", "store: etcd://x\nhealth:", 2, "store", "is not a store", "sqlite:PATH"),
    "server port": Bad(
        "embedded", "embedded, server: 'ns1:99999'", 1, "zone.server", '"99999" is not a port.', "65535"
    ),
    "server brackets": Bad("embedded", "embedded, server: '[2001:db8::1'", 1, "zone.server", "not a server", "]:53"),
    "look": Bad("embedded", "embedded, look: 2m", 1, "zone.look", '"2m" is out of range.', "from 200ms to 1m"),
    "TTL": Bad(
        "www: {}", "www: {ttl: -5}", 7, "endpoints.www.ttl", '"-5" is not a TTL.', "Give seconds from 1 to 86400."
    ),
    "TTL word": Bad("www: {}", "www: {ttl: 1m}", 7, "endpoints.www.ttl", '"1m" is not a TTL.', "from 1 to 86400"),
    "duration": Bad("/healthz}", "/healthz, interval: 5}", 2, "health.interval", '"5" is not a duration.', "unit"),
    "fall": Bad("/healthz}", "/healthz, fall: 0}", 2, "health.fall", '"0" is not a number of checks.', "from 1 to 100"),
    "rise": Bad("/healthz}", "/healthz, rise: -1}", 2, "health.rise", '"-1" is not', "from 1 to 100"),
    "two kinds of check": Bad("/healthz}", "/x, tcp: 80}", 2, "health", "tcp and http", "exactly one of"),
    "no kind of check": Bad("http: /healthz", "fall: 3", 2, "health", "no kind of check", "exactly one of"),
    "tcp with port": Bad("http: /healthz", "tcp: 80, port: 81", 2, "health.port", "no meaning", "Leave it out"),
    "check path": Bad("/healthz", "healthz", 2, "health.http", '"healthz" is not a path.', "Begin with /"),
    "percentage": Bad("www: {}", "www: {hold_below: 101%}", 7, "endpoints.www.hold_below", "not a percentage", "50%"),
    "share without sign": Bad("www: {}", "www: {hold_below: 0.5}", 7, "endpoints.www.hold_below", "percentage", "50%"),
    "removal": Bad("www: {}", "www: {removal: 34%}", 7, "endpoints.www.removal", "not a removal limit", "34% in 10m"),
    "panic": Bad("health:", "policy: {on_panic: al}\nhealth:", 2, "policy.on_panic", '"al" is not', "mean all?"),
    "retention": Bad("health:", "retention: {plans: 0}\nhealth:", 2, "retention.plans", '"0" is not', "from 1"),
    "capacity zero": Bad(
        "az: a,", "az: a, capacity: 0,", 4, "load_balancers.lb-a1.capacity", '"0" is not', "from 1 to"
    ),
    "capacity negative": Bad(
        "az: a,", "az: a, capacity: -7,", 4, "load_balancers.lb-a1.capacity", '"-7" is', "from 1 to"
    ),
    "admin": Bad("az: a,", "az: a, admin: drained,", 4, "load_balancers.lb-a1.admin", "admin state", "mean drain?"),
    "id": Bad("lb-b1:", '"lb b1":', 5, "load_balancers.lb b1", '"lb b1" is not a name', "letters, digits"),
    "address": Bad("192.0.2.21", "192.0.2.256", 5, "load_balancers.lb-b1.ip[0]", "is not an address", "192.0.2.11"),
    "address with zeros": Bad("192.0.2.21", "192.0.2.021", 5, "load_balancers.lb-b1.ip[0]", "not an address", "IPv4"),
    "address a name": Bad(
        "192.0.2.21", "a.elb.example", 5, "load_balancers.lb-b1.ip[0]", "a name, not an", "addresses"
    ),
    "unspecified": Bad("192.0.2.21", "0.0.0.0", 5, "load_balancers.lb-b1.ip[0]", "unspecified", "connect to"),  # noqa: S104 - an address
    "multicast": Bad("192.0.2.21", "224.0.0.1", 5, "load_balancers.lb-b1.ip[0]", "multicast", "connect to"),
    "link-local": Bad("[192.0.2.21]", "'fe80::1'", 5, "load_balancers.lb-b1.ip", "link-local", "connect to"),
    "mapped": Bad("[192.0.2.21]", "'::ffff:192.0.2.9'", 5, "load_balancers.lb-b1.ip", "disguise", "Give 192.0.2.9"),
    "same address": Bad("192.0.2.21", "192.0.2.11", 5, "load_balancers.lb-b1.ip", "belongs to lb-a1 (line 4)", "one"),
    "no load balancer": Bad(
        "\n  lb-a1", " {}\nx:\n  lb-a1", 3, "load_balancers", "There is no load balancer", "at least"
    ),
    "no endpoint": Bad("\n  www: {}", " {}", 6, "endpoints", "There is no endpoint.", "www: {}"),
    "reserved subtree": Bad("www:", "_standfast:", 7, "endpoints._standfast", "_standfast", "Choose another"),
    "reserved inside": Bad("www:", "x._any:", 7, "endpoints.x._any", "The label _any", "Choose another"),
    "reserved apex": Bad("www:", "_apex:", 7, "endpoints._apex", "The label _apex", "Choose another"),
    "reserved floor": Bad("www:", "main._floor:", 7, "endpoints.main._floor", "The label _floor", "Choose another"),
    "reserved first": Bad("www:", "_first:", 7, "endpoints._first", "The label _first", "Choose another"),
    "reserved hash": Bad("www:", "_H-12:", 7, "endpoints._H-12", "The label _h-12", "Choose another"),
    "not covered": Bad(
        "www:", "www.example.org:", 7, "endpoints.www.example.org", "No zone of this file covers", "in full"
    ),
    "not covered, dot": Bad("www:", "www.other.:", 7, "endpoints.www.other.", "No zone of this file covers", "Add its"),
    "not its zone": Bad("{}", "{zone: lx.example.com}", 7, "endpoints.www.zone", "not a zone", "mean lb.example.com?"),
    "two owners": Bad("www: {}", "www: {}\n  WWW.lb.example.com: {}", 8, "endpoints.WWW.lb", "two owners", "Keep one"),
    "two owners of the apex": Bad(
        "www: {}", '"@": {}\n  lb.example.com: {}', 8, "endpoints.lb", "in line 7", "Keep one"
    ),
    "no such AZ": Bad("{}", "{azs: [a, d]}", 7, "endpoints.www.azs", 'in AZ "d"', "There are: a, b."),
    "no such pool": Bad("{}", "{pools: defualt}", 7, "endpoints.www.pools", 'in pool "defualt"', "mean default?"),
    "unknown family": Bad("{}", "{families: [ipv5]}", 7, "endpoints.www.families[0]", "not a family", "mean ipv"),
    "family mismatch": Bad(
        "{}", "{azs: [b], families: [ipv6]}", 7, "endpoints.www.families", "Family mismatch", "ipv6 out"
    ),
    "nobody eligible": Bad(
        "{az: b, ip: [192.0.2.21]}\nendpoints:\n  www: {}",
        "{az: b, pool: q, ip: 192.0.2.21}\nendpoints:\n  www: {azs: [a], pools: [q]}",
        7,
        "endpoints.www",
        "No load balancer is eligible",
        "Mend azs or pools.",
    ),
    "too few": Bad("{}", "{min_answers: 3}", 7, "endpoints.www.min_answers", "have 2 IPv4 addresses", "Lower it to 2"),
    "too few, IPv6": Bad(
        "{}", "{min_answers: 2}", 7, "endpoints.www.min_answers", "have 1 IPv6 address.", "Lower it to 1"
    ),
    "too few by policy": Bad(
        "health:",
        "policy: {min_answers: 3}\nhealth:",
        8,
        "endpoints.www.min_answers",
        "have 2 IPv4 addresses",
        "Lower it",
    ),
    "least above most": Bad("{}", "{min_answers: 3, max_answers: 2}", 7, "endpoints.www.min", "above max", "Raise max"),
    "empty list": Bad("{}", "{azs: []}", 7, "endpoints.www.azs", "This list is empty.", "Leave the key out"),
    "no server": Bad("embedded", "rfc2136", 1, "zone", "server is missing", "ns1.example.com"),
    "no key": Bad("embedded", "rfc2136", 1, "zone", "tsig is missing", "tsig-keygen"),
    "source": Bad(
        LBS,
        " {from: file}\n",
        3,
        "load_balancers",
        "path is missing",
        "fleet.yaml",
    ),
    "region": Bad(LBS, " {from: aws}\n", 3, "load_balancers", "region is missing", "eu-west-1"),
    "no kind of source": Bad(LBS, " [{path: x}]\n", 3, "load_balancers[0].from", "not said where", "from: with one"),
    "source is a word": Bad(LBS, " [file]\n", 3, "load_balancers[0]", "A source must stand here", "{from: file"),
    "two of one name": Bad(
        LBS, " [{from: aws, region: a}, {from: aws, region: b}]\n", 3, "load_balancers[1]", "called aws", "name: edge"
    ),
    "no URL": Bad(LBS, " {from: http, url: ftp://x}\n", 3, "load_balancers.url", "is not a URL", "https://"),
    "password in a URL": Bad(
        LBS, ' {from: http, url: "https://u:p@x/y"}\n', 3, "load_balancers.url", "user or password in it", "header"
    ),
    "secret itself": Bad(
        LBS,
        " {from: http, url: 'https://x/y', headers: {Authorization: Bearer}}\n",
        3,
        "load_balancers.headers",
        "not a reference to a secret",
        "env:NAME",
    ),
    "no token": Bad(
        LBS,
        " {from: kubernetes, what: nodes, server: 'https://x'}\n",
        3,
        "load_balancers",
        "token is missing",
        "token:",
    ),
    "every too seldom": Bad(LBS, " {from: p, every: 5m}\n", 3, "load_balancers.every", "out of range", "1m"),
    "prefix with host bits": Bad(
        "health:", "prefixes: [192.0.2.1/24]\nhealth:", 2, "prefixes[0]", "beyond its prefix", "192.0.2.0/24"
    ),
    "prefix that is none": Bad("health:", "prefixes: x\nhealth:", 2, "prefixes", "is not a network", "2001:db8::/32"),
    "load balancer outside": Bad(
        "health:",
        "prefixes: 198.51.100.0/24\nhealth:",
        5,
        "load_balancers",
        "192.0.2.21 of lb-b1 is outside",
        "prefixes",
    ),
    "alias to itself": Bad("www: {}", "www: &x [*x]", 7, "endpoints.www[0]", "*x refers to nothing", "Write &x"),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_a_mistake_gets_line_place_and_remedy(bad: Bad) -> None:
    text = GOOD.replace(bad.old, bad.new, 1)
    assert text != GOOD
    config, problems, _ = check(text, "standfast.yaml")
    assert config is None
    found = [
        one for one in problems if one.line == bad.line and one.path.startswith(bad.path) and bad.message in one.message
    ]
    assert len(found) == 1, "\n".join(map(str, problems))
    assert found[0].remedy.endswith((".", "?", ")")) or found[0].remedy.startswith("Make")
    assert bad.remedy in found[0].remedy


def test_the_good_file_is_good() -> None:
    config, problems, notes = check(GOOD, "standfast.yaml")
    assert config is not None
    assert (problems, notes) == ((), ())


def test_all_problems_show_at_once_in_the_order_of_the_file() -> None:
    text = (
        GOOD.replace("embedded", "rfc2136, tsig: 'file:gone.key'")
        .replace("http:", "htp:")
        .replace("192.0.2.21]}", "192.0.2.21], capacity: -1}")
        .replace("www: {}", "www: {ttl: -5}\n  _standfast: {}\n  WWW: {}\n  x.example.org: {}")
    )
    _, problems, _ = check(text, "standfast.yaml")
    rendered = [str(one) for one in problems]
    assert [one.line for one in problems] == sorted(one.line for one in problems)
    assert {one.line for one in problems} == {1, 2, 5, 7, 8, 9, 10}
    assert 'standfast.yaml:7: endpoints.www.ttl: "-5" is not a TTL. Give seconds from 1 to 86400.' in rendered


def test_a_problem_in_the_zone_does_not_hide_those_of_endpoints() -> None:
    text = GOOD.replace("name: lb", "nme: lb").replace("www: {}", "www: {}\n  WWW: {}\n  _any: {}")
    _, problems, _ = check(text, "standfast.yaml")
    assert [one.line for one in problems] == [1, 8, 9]


def test_names_of_several_zones() -> None:
    zones = "zones:\n  - {name: example.com, provider: embedded}\n  - {name: eu.example.com, provider: embedded}\n"
    text = zones + GOOD.split("\n", 1)[1]
    _, problems, _ = check(text, "f")
    assert ["could be in any of 2 zones" in one.message for one in problems] == [True]
    text = text.replace("www: {}", "www.eu.example.com: {}\n  www: {zone: example.com}\n  '@': {zone: eu.example.com}")
    config, problems, _ = check(text, "f")
    assert config is not None, problems
    assert sorted((one.name, one.zone) for one in config.endpoints) == [
        ("eu.example.com", "eu.example.com"),
        ("www.eu.example.com", "eu.example.com"),
        ("www.example.com", "example.com"),
    ]
    _, problems, _ = check(text.replace("  www: {", "  www.eu: {"), "f")
    assert ["lies in zone eu.example.com, not in example.com" in one.message for one in problems] == [True]


NOTES = {
    "short TTL": ("www: {}", "www: {ttl: 29}", "endpoints.www.ttl"),
    "long TTL": ("www: {}", "www: {ttl: 301}", "endpoints.www.ttl"),
    "no checks": ("{http: /healthz}", "none", "health"),
    "slow check": ("/healthz", "/healthz, interval: 2s", "health.timeout"),
    "loopback": ("192.0.2.21", "127.0.0.1", "load_balancers"),
}


@pytest.mark.parametrize(("old", "new", "path"), NOTES.values(), ids=NOTES.keys())
def test_notes_do_not_stop_anything(old: str, new: str, path: str) -> None:
    config, problems, notes = check(GOOD.replace(old, new), "standfast.yaml")
    assert config is not None, problems
    assert [one.path for one in notes] == [path]


def test_load_raises_with_every_problem(tmp_path: Path) -> None:
    path = tmp_path / "standfast.yaml"
    path.write_text(GOOD.replace("www: {}", "www: {ttl: x, azs: [q]}"))
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert len(caught.value.problems) == 2
    assert str(caught.value).count("\n") == 1
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"x" * (4 * 1024 * 1024 + 1)], ids=["none", "binary", "big"])
def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "standfast.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"The file (does not exist|is not UTF-8|is larger)"):
        load(path)
    with pytest.raises(ConfigError, match=r"The file is (a directory|not a regular file)"):
        load(tmp_path)
