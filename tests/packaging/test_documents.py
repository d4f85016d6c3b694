"""What is generated into docs/ stands there as the code says it now, and no link in a document leads nowhere."""

import re
from pathlib import Path

import pytest
from tools import capabilities, configuration

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_the_configuration_page_is_the_schema() -> None:
    assert configuration.PAGE.read_text(encoding="utf-8") == configuration.written(), "make documents"


def test_the_capabilities_are_what_the_adapters_declare() -> None:
    assert capabilities.PAGE.read_text(encoding="utf-8") == capabilities.page(), "make documents"


def test_a_promise_without_words_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(capabilities._WEAKER, "text_by_case")
    with pytest.raises(ValueError, match="text_by_case"):
        capabilities.page()


def test_a_key_without_meaning_is_found() -> None:
    schema = {"properties": {"look": {"type": "string"}}, "$defs": {}}
    with pytest.raises(ValueError, match="look"):
        configuration.page(schema)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        to = (document.parent / path).resolve() if path else document
        assert to.exists(), f"{document.name}: {target}"
        if anchor and to.suffix == ".md":
            assert anchor in anchors(to), f"{document.name}: {target}"


def anchors(document: Path) -> set[str]:
    """The anchors that headings give, and explicit ones."""
    text = document.read_text(encoding="utf-8")
    plain = (re.sub(r"[^\w\s-]", "", line).strip().lower() for line in re.findall(r"^#+ (.*)$", text, re.MULTILINE))
    return {re.sub(r"\s", "-", line) for line in plain} | set(re.findall(r'<a (?:id|name)="([^"]+)"', text))


def test_every_fault_that_is_told_has_its_test() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs/faults.md").read_text(encoding="utf-8")))
    there = {
        name
        for path in (ROOT / "tests/e2e").glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert named
    assert named <= there
