"""Secrets: three forms of a key, where they may come from, and that they never show."""

import base64
import os
import pickle
from pathlib import Path

import pytest

from standfast.config import TsigKey, check
from standfast.config.rolekeys import IN_LINE
from standfast.config.secrets import read_secret, tsig_key
from standfast.errors import SecretError

OCTETS = bytes(range(230, 256)) + b"\xff\xff\xfe\xff\xff\xff"
SECRET = base64.b64encode(OCTETS).decode()
KEY = TsigKey("lb-enactor", "hmac-sha256", OCTETS)
BIND = f'key "lb-enactor" {{\n\talgorithm hmac-sha256;\n\tsecret "{SECRET}";\n}};\n'
KNOT = (
    f"# hmac-sha256:lb-enactor:{SECRET}\nkey:\n  - id: lb-enactor\n    algorithm: hmac-sha256\n    secret: {SECRET}\n"
)

FORMS = {
    "tsig-keygen": BIND,
    "tsig-keygen, one line": " ".join(BIND.split()),
    "secret first": f'key lb-enactor. {{ secret "{SECRET}"; algorithm HMAC-SHA256; }};',
    "comments": f'// the "key" of\n/* key "x" {{ }}; */\n# nobody\n{BIND}',
    "keymgr": KNOT,
    "keymgr, quoted": KNOT.replace(": lb-enactor\n", ': "lb-enactor"\n').replace("\n", "\r\n"),
    "one line": f"hmac-sha256:lb-enactor:{SECRET}\n",
    "upper case": f"HMAC-SHA256.:LB-Enactor.:{SECRET}",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS.keys())
def test_each_form_gives_the_key(text: str) -> None:
    assert "//" in SECRET
    assert tsig_key(text) == KEY


BAD = {
    "nothing": ("", "No TSIG key"),
    "words": ("SECRETTEXT", "No TSIG key"),
    "two parts": ("hmac-sha256:SECRETTEXT", "No TSIG key"),
    "two keys": (BIND + BIND.replace("lb-enactor", "other"), "more than one key"),
    "two keys of Knot": (KNOT + KNOT.split("key:\n")[1], "more than one key"),
    "no secret": ('key "n" { algorithm hmac-sha256; };', "empty"),
    "no algorithm": ('key "n" { secret "SECRETTEXT"; };', "algorithm is missing, unknown or unsafe"),
    "md5": ("hmac-md5.sig-alg.reg.int:n:SECRETTEXT", "hmac-md5 is missing, unknown or unsafe"),
    "swapped": ("SECRETTEXT:n:hmac-sha256", "algorithm is missing, unknown"),
    "no base64": ("hmac-sha256:n:SECRET!TEXT", "not base64"),
    "cut base64": ("hmac-sha256:n:SECRETTEX", "not base64"),
    "no name": ("hmac-sha256:SECRET TEXT:QUJD", "not a domain name"),
    "not ASCII": ("hmac-sha256:n:SECRETTEXTé", "not base64"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD.keys())
def test_what_is_wrong_is_said_without_the_secret(text: str, message: str) -> None:
    with pytest.raises(SecretError, match=message) as caught:
        tsig_key(text)
    assert caught.value.remedy
    assert "SECRET" not in str(caught.value)
    assert "SECRET" not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_key_shows_everywhere_without_its_secret() -> None:
    for shown in (repr(KEY), str(KEY), f"{KEY}", f"{[KEY]!r}"):
        assert "lb-enactor" in shown
        assert SECRET not in shown
        assert repr(OCTETS) not in shown
    assert pickle.loads(pickle.dumps(KEY)) == KEY  # noqa: S301 - processes hand it on


CONFIG = """\
zone:
  name: lb.example.com
  provider: rfc2136
  server: ns1.example.com
  tsig: REFERENCE
health: {tcp: 443}
load_balancers: {lb-a1: {az: a, ip: 192.0.2.11}}
endpoints: {www: {}}
"""


def _check(reference: str, directory: Path) -> tuple[TsigKey | None, list[str], list[str]]:
    file = str(directory / "standfast.yaml")
    config, problems, notes = check(CONFIG.replace("REFERENCE", reference), file)
    assert all((one.line, one.path) == (5, "zone.tsig") for one in (*problems, *notes)), problems
    assert SECRET not in repr((config, problems, notes))
    assert repr(OCTETS) not in repr((config, problems, notes))
    return config.zones[0].tsig if config else None, [str(p) for p in problems], [str(n) for n in notes]


def test_a_key_from_a_file_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "enactor.key").write_text(BIND)
    (tmp_path / "enactor.key").chmod(0o640)
    assert _check("file:enactor.key", tmp_path) == (KEY, [], [])
    assert _check(f"file:{tmp_path}/enactor.key", tmp_path / "elsewhere") == (KEY, [], [])
    (tmp_path / "enactor.key").chmod(0o644)
    key, problems, _ = _check("file:enactor.key", tmp_path)
    assert key is None
    assert "open to every user of this machine (mode 0644). Close it: chmod o=" in problems[0]


def test_a_key_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDFAST_TEST_KEY", KNOT)
    assert _check("env:STANDFAST_TEST_KEY", tmp_path) == (KEY, [], [])
    monkeypatch.delenv("STANDFAST_TEST_KEY")
    _, problems, _ = _check("env:STANDFAST_TEST_KEY", tmp_path)
    assert "'STANDFAST_TEST_KEY' is not set. Export it" in problems[0]


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("file:gone.key", "does not exist. Create it with: (umask 077; tsig-keygen"),
        ("file:.", "is a directory"),
        ("file:pipe", "is not a regular file"),
        ("file:binary", "is not UTF-8"),
        ("file:/dev/zero", "is not a regular file"),
        ("'file:a\\0b'", "does not exist"),
        ('"file:a\\0b"', "a name that no file can have"),
        ('"env:a\\0b"', "is not set"),
        ("env:A=B", "is not set"),
        ("'env:'", "never the secret itself"),
        (f"hmac-sha256:lb-enactor:{SECRET}", "never the secret itself"),
        (SECRET, "never the secret itself"),
    ],
)
def test_a_reference_that_leads_nowhere(tmp_path: Path, reference: str, message: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\0")
    key, problems, _ = _check(reference, tmp_path)
    assert key is None
    assert message in problems[0]


@pytest.mark.parametrize("algorithm", ["hmac-md5", "hmac-sha1", "hmac-sha224"])
def test_an_unsafe_algorithm_is_refused(tmp_path: Path, algorithm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDFAST_TEST_KEY", f"{algorithm}:n:" + "QUFB" * 8)
    key, problems, _ = _check("env:STANDFAST_TEST_KEY", tmp_path)
    assert key is None
    assert any(algorithm in str(problem) and "hmac-sha256" in str(problem) for problem in problems)


def test_a_weak_key_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDFAST_TEST_KEY", "hmac-sha256:n:QUFB")
    key, problems, notes = _check("env:STANDFAST_TEST_KEY", tmp_path)
    assert key is not None, problems
    assert len(notes) == 1


def test_the_text_of_a_secret_is_hidden_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDFAST_TEST_KEY", BIND)
    assert SECRET not in repr(read_secret("env:STANDFAST_TEST_KEY", Path()))


APART = CONFIG.replace("tsig: REFERENCE", "tsig: {enactor: 'file:enactor.key', planner: ['file:new', 'file:old']}")


def _file(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)


def test_each_role_may_have_keys_of_its_own_and_several(tmp_path: Path) -> None:
    _file(tmp_path / "enactor.key", BIND)
    for name in ("new", "old"):
        _file(tmp_path / name, BIND.replace("lb-enactor", f"reader-{name}"))
    config, problems, notes = check(APART, str(tmp_path / "standfast.yaml"))
    assert config is not None, problems
    assert not notes
    keys = config.zones[0].keys
    names = {role: [place.key.name for place in keys.of(role) if place.key] for role in IN_LINE}
    readers = ["reader-new", "reader-old"]
    assert names == {"enactor": ["lb-enactor"], "planner": readers, "cleaner": readers, "prober": readers}
    assert SECRET not in repr(config)


def test_where_only_the_planner_runs_only_its_keys_are_needed(tmp_path: Path) -> None:
    for name in ("new", "old"):
        _file(tmp_path / name, BIND)
    config, problems, notes = check(APART, str(tmp_path / "standfast.yaml"))
    assert config is not None, problems
    assert [(one.path, "needed only where that role runs" in one.remedy) for one in notes] == [
        ("zone.tsig.enactor", True)
    ]
    assert config.zones[0].keys.of("enactor")[0].key is None


def test_all_problems_with_keys_at_once(tmp_path: Path) -> None:
    _file(tmp_path / "new", "no key")
    (tmp_path / "old").write_text(BIND)
    (tmp_path / "old").chmod(0o604)
    text = APART.replace("enactor: 'file:enactor.key'", "enactr: 'file:new', cleaner: []")
    config, problems, _ = check(text, str(tmp_path / "standfast.yaml"))
    assert config is None
    assert sorted(one.path for one in problems) == [
        "zone.tsig", "zone.tsig.cleaner", "zone.tsig.planner[0]", "zone.tsig.planner[1]",
    ]  # fmt: skip


def test_where_secondaries_are_asked(tmp_path: Path) -> None:
    _file(tmp_path / "k", BIND)
    good = CONFIG.replace("REFERENCE", "'file:k'\n  secondaries: {ns2: '127.0.0.2:5301', ns3.example.net: 192.0.2.53}")
    config, problems, _ = check(good, str(tmp_path / "standfast.yaml"))
    assert config is not None, problems
    assert [(one.name, one.host, one.port) for one in config.zones[0].secondaries] == [
        ("ns2", "127.0.0.2", 5301),
        ("ns3.example.net", "192.0.2.53", 53),
    ]
    _, problems, _ = check(good.replace("'127.0.0.2:5301'", "'127.0.0.2:0'").replace("ns3.example.net", "a..b"), "f")
    assert [one.path for one in problems if "secondaries" in one.path] == ["zone.secondaries.ns2", "zone.secondaries"]
