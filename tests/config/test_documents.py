"""The YAML document: texts stay texts, lines are right, and no text whatever raises or blows up."""

import random
import string
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standfast.config import check
from standfast.config.document import BYTES_MAX, DEPTH_MAX, LINE_MAX, Findings, Mapping, Node, Scalar, parse
from standfast.config.keys import ENDPOINT, HEALTH, LOAD_BALANCER, POLICY, ROOT, ZONE
from standfast.errors import Problem

GOOD = """\
zone: {name: lb.example.com, provider: embedded}
health: {http: /healthz}
load_balancers:
  no: {az: 010, ip: 2001:10:0:0:0:0:0:1, pool: yes}
  lb-b1: {az: 0x1f, ip: [192.0.2.21], pool: null}
  "12:30": &x {az: 1e3, ip: 192.0.2.22}
endpoints:
  on: {pools: [yes, "null"]}
"""


def _values(node: Node | None) -> dict[str, Node]:
    assert isinstance(node, Mapping)
    return {key.text: value for key, value in node.entries}


def _problems(text: str) -> list[Problem]:
    findings = Findings("f")
    parse(text, findings)
    return findings.problems


@pytest.mark.parametrize("text", ["no", "on", "010", "0x1f", "1e3", "12:30:45", "2001:10:0:0:0:0:0:1", "2026-11-23"])
@pytest.mark.parametrize("head", ["", "%YAML 1.1\n---\n", "%YAML 1.2\n---\n"])
def test_a_scalar_is_what_was_written(head: str, text: str) -> None:
    findings = Findings("f")
    value = _values(parse(f"{head}key: {text}\n", findings))["key"]
    assert isinstance(value, Scalar)
    assert (value.text, value.empty, findings.problems) == (text, False, [])


def test_names_that_other_readers_mistake() -> None:
    config, problems, _ = check(GOOD.replace("null}", '"null"}').replace('"12:30"', "twelve"), "f")
    assert config is not None, problems
    assert [(one.id, one.az, one.pool) for one in config.load_balancers] == [
        ("lb-b1", "0x1f", "null"),
        ("no", "010", "yes"),
        ("twelve", "1e3", "default"),
    ]
    assert config.load_balancers[1].ipv6 == ("2001:10::1",)
    assert config.endpoints[0].name == "on.lb.example.com"


def test_an_empty_value_is_shown_at_its_key() -> None:
    value = _values(parse("a: b\nkey:\n\n\nother: x\n", Findings("f")))["key"]
    assert isinstance(value, Scalar)
    assert (value.empty, value.mark.line) == (True, 2)


def test_aliases_work_within_bounds() -> None:
    values = _values(parse("a: &x {b: c}\nd: *x\n", Findings("f")))
    assert values["a"] == values["d"]


def _laughs() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (_laughs(), "blow this file up"),
        ("\n".join(f"a{i}: &a{i} [*a{i - 1}]" if i else "a0: &a0 [x]" for i in range(DEPTH_MAX + 5)), "blow this file"),
        ("[" * 60_000, "nested too deeply"),
        ("{a: " * 1000, "nested too deeply"),
        ("- " * 30_000, "nested too deeply"),
        ("a: *gone", "refers to nothing"),
        ("a" * (LINE_MAX + 1), "characters"),
        ("#\n" * BYTES_MAX, "too large"),
        ("", "empty"),
        ("# nothing\n", "empty"),
        ("a: \0", "not YAML"),
        ("a: \ud800", "not YAML"),
        ("%YAML 9.9\n---\na: b", "not YAML"),
    ],
    ids=lambda text: repr(text[:12]),
)
def test_what_is_out_of_bounds_is_refused_quickly(text: str, message: str) -> None:
    begun = time.process_time()
    problems = _problems(text)
    assert len(problems) == 1
    assert message in problems[0].message
    assert time.process_time() - begun < 10


def test_many_problems_are_counted_not_listed() -> None:
    text = "zone: {name: z, provider: embedded}\n" + "".join(f"key{i}: x\n" for i in range(1000))
    _, problems, _ = check(text, "f")
    assert len(problems) == 201
    assert problems[-1].message == "803 more problems."


def test_long_and_odd_texts_are_shown_short_and_printable() -> None:
    text = GOOD.replace("az: 010", f'az: "{"é" * 500}\\n\\e[31m"')
    _, problems, _ = check(text, "f")
    shown = str(problems[0])
    assert shown.isprintable()
    assert len(shown) < 300


_WORDS = (*ROOT, *ZONE, *HEALTH, *LOAD_BALANCER, *ENDPOINT, *POLICY, "from", "path", "count", "none", "@", "*")
_SCALARS = st.one_of(
    st.sampled_from(_WORDS),
    st.sampled_from(["lb.example.com", "embedded", "rfc2136", "192.0.2.1", "2001:db8::1", "5s", "50%", "34% in 10m"]),
    st.integers().map(str),
    st.text(alphabet=string.printable, max_size=20).map(lambda text: repr(text)),
    st.sampled_from(["file:/", "env:=", "file:/dev/zero", "file:\\0", "*x", "&x y", "!!int 3", "", "~"]),
)
_TREES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(st.tuples(_SCALARS, inner), max_size=5).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
        ),
    ),
    max_leaves=25,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.one_of(st.text(max_size=200), st.binary(max_size=200).map(lambda octets: octets.decode("latin-1"))))
def test_no_text_raises(text: str) -> None:
    config, problems, _ = check(text, "f")
    assert config is None
    assert problems


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(ROOT), _TREES), max_size=8))
def test_no_tree_of_known_words_raises(sections: list[tuple[str, str]]) -> None:
    config, problems, _ = check("".join(f"{key}: {value}\n" for key, value in sections), "f")
    assert (config is None) == bool(problems)


def test_no_change_of_a_good_file_raises() -> None:
    choice = random.Random(7)
    for _ in range(600):
        text = list(GOOD)
        for _ in range(choice.randint(1, 4)):
            at = choice.randrange(len(text))
            text[at : at + choice.randint(0, 3)] = choice.choice([*string.punctuation, " ", "\n", "0", "\t", "é", ""])
        config, problems, _ = check("".join(text), "f")
        assert (config is None) == bool(problems)
