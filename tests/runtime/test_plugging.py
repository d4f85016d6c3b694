"""Providers of installed packages: what is wrong with them, or missing, is said with the remedy, and is never ours."""

from pathlib import Path

import pytest

from harness.plugged import PLUGINS, ZONE, config_of, text, zone_of
from standfast.config import check
from standfast.errors import ProviderError
from standfast.model.rrset import RRType
from standfast.ports.provider import Read, Readings, Replace, ReplaceReply, Unknown, Write
from standfast.runtime.place import Place
from standfast.runtime.plugging import accepted, judge, plugged_provider, weaker

KEY = ((ZONE, int(RRType.TXT)),)


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(PLUGINS)


def test_who_does_not_compare_is_refused_unless_that_is_accepted_by_name(tmp_path: Path) -> None:
    with pytest.raises(ProviderError) as refused:
        judge([zone_of("acme", file=str(tmp_path / "z"))])
    assert refused.value.message.startswith(f"Zone {ZONE} is not written: provider acme of acme-dns 1.0: it does not")
    assert "(G2)" in refused.value.message
    assert "Route 53" in refused.value.remedy
    assert refused.value.remedy.endswith("To accept the weaker promise in this zone: accept: [no-compare-and-set].")
    with pytest.raises(ProviderError, match="does not compare and set"):
        plugged_provider(zone_of("acme", file=str(tmp_path / "z")))
    taken = zone_of("acme", ", accept: [no-compare-and-set]", file=str(tmp_path / "z"))
    judge([taken])
    assert [one.name for one in accepted(taken)] == ["no-compare-and-set"]
    assert weaker(taken)[0].startswith("no-compare-and-set is accepted of provider acme: ")
    assert plugged_provider(taken).perform(Read(ZONE, KEY)) == Readings((None,))


def test_who_compares_needs_no_acceptance(tmp_path: Path) -> None:
    zone = zone_of("acme-compares", file=str(tmp_path / "z"))
    assert (accepted(zone), weaker(zone)) == ((), ())
    place = Place(config_of("acme-compares", folder=tmp_path, file=str(tmp_path / "z")))
    provider = place.open_provider(zone, role="enactor")
    assert provider.perform(Read(ZONE, KEY)) == Readings((None,))
    provider.close()


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        ("acme-compares", {}, "Provider acme needs a file. Say options"),
        ("acme-sick", {"fault": "open"}, r"acme-sick of acme-dns 1\.0 can't be opened: RuntimeError: no licence"),
        ("acme-missing", {}, "can't be loaded: ModuleNotFoundError.*Install it anew"),
        ("acme-speechless", {}, r"acme-speechless of acme-dns 1\.0 does not state its promises.*docs/providers\.md"),
        ("acme-guessing", {}, "neither compares and sets nor reads literally"),
        ("acme-half", {}, "has no perform and no close"),
    ],
)
def test_what_is_wrong_is_said(kind: str, options: dict[str, str], said: str) -> None:
    with pytest.raises(ProviderError, match=said):
        plugged_provider(zone_of(kind, **options))


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("raise", "acme-sick (acme-dns 1.0) failed: OSError: connection reset"),
        ("word", "acme-sick (acme-dns 1.0) answered str to Read"),
        ("many", "acme-sick (acme-dns 1.0) answered a reading that is none of what was asked"),
    ],
)
def test_what_it_raises_or_answers_amiss_is_unknown(tmp_path: Path, fault: str, why: str) -> None:
    provider = plugged_provider(zone_of("acme-sick", file=str(tmp_path / "z"), fault=fault))
    assert provider.perform(Read(ZONE, KEY)) == Unknown(why)
    reply: ReplaceReply = provider.perform(Replace(ZONE, Write("", (), ()), ()))
    assert isinstance(reply, Unknown)
    provider.close()


def test_a_package_that_is_gone_or_there_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zone = zone_of("acme-compares", file=str(tmp_path / "z"))
    twin = tmp_path / "acme_twin-2.0.dist-info"
    twin.mkdir()
    (twin / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-twin\nVersion: 2.0\n")
    (twin / "entry_points.txt").write_text("[standfast.providers]\nacme-compares = acme_dns:Comparing\n")
    with monkeypatch.context() as there:
        there.syspath_prepend(tmp_path)
        with pytest.raises(ProviderError, match=r"Several packages .*: acme-dns 1\.0, acme-twin 2\.0"):
            plugged_provider(zone)
    with monkeypatch.context() as there:
        there.setattr("sys.path", [one for one in __import__("sys").path if one != str(PLUGINS)])
        with pytest.raises(ProviderError, match="No installed package has a provider acme-compares"):
            plugged_provider(zone)
        _, problems, _ = check(text("acme-compares"), "f.yaml")
        assert [(one.path, one.line) for one in problems] == [("zone.provider", 1)]
        assert "is not a provider" in problems[0].message


@pytest.mark.parametrize(
    ("provider", "more", "path", "said", "remedy"),
    [
        ("acme", ", accept: no-cas", "zone.accept", "is not a promise that can be given up", "no-compare-and-set"),
        ("acme", ", server: ns1", "zone.server", "has no meaning with provider acme", "options"),
        ("acme", ", hosted_zone: Z1", "zone.hosted_zone", "has no meaning with provider acme", "options"),
        ("embedded", ", accept: no-compare-and-set", "zone.accept", "this one is supplied", "keeps every promise"),
        ("embedded", "", "zone.options", "this one is supplied", "Leave it out"),
        ("acmee", "", "zone.provider", "is not a provider", "Did you mean acme?"),
        ("bind", "", "zone.provider", "is not a provider", "acme-compares"),
    ],
)
def test_mistakes_in_the_file(provider: str, more: str, path: str, said: str, remedy: str) -> None:
    _, problems, _ = check(text(provider, more, file="z"), "f.yaml")
    found = [one for one in problems if one.path == path]
    assert found, problems
    assert (found[0].line, said in found[0].message, remedy in found[0].remedy) == (1, True, True), found
