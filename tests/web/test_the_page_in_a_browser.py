"""The page in headless Chromium, over a real gatherer and server: five states, a phone, no JavaScript, live, past.

The pictures lie in the temporary folder of the run (`pytest --basetemp DIR` chooses it), to be looked at.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.stage import DOWN, Stage
from e2e.roles import until
from web.browser import DESK, PHONE, Browser
from web.scene import REFUSED, Scene, Served, served

OCTETS_MAX = 100_000
WORDS = {
    "FINE": "✓ FINE",
    "HANDLED": "▲ HANDLED",
    "NEEDS YOU": "■ NEEDS YOU",
    "HELD": "❄ HELD",
    "FROZEN": "❄ FROZEN",
    "BLIND": "? BLIND",
}


def fine(scene: Scene) -> None:
    scene.checks()


def handled(scene: Scene) -> None:
    scene.az_lost()


def needs_you(scene: Scene) -> None:
    scene.stage.publish(lb_b1=DOWN)
    scene.checks(lb_b1=9, lb_a1=4, lb_a2=4)
    scene.stage.share(lb_b1=DOWN, lb_a1=DOWN, lb_a2=DOWN)


def held(scene: Scene) -> None:
    assert scene.stage.run("hold", "www", "--reason", "p99 doubled").code == 0


def frozen(scene: Scene) -> None:
    assert scene.stage.run("freeze", "--all", "--reason", "we make it worse").code == 0


@pytest.fixture
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.getbasetemp() / "page-pictures"
    folder.mkdir(exist_ok=True)
    return folder


def word(browser: Browser) -> str:
    return " ".join(browser.text(".verdict h1").split()[:3])


def shows(browser: Browser, kind: str) -> None:
    until(lambda: word(browser).startswith(WORDS[kind]), f"the page says {kind}", 60)


@pytest.mark.parametrize(
    ("kind", "come_about"),
    [("FINE", fine), ("HANDLED", handled), ("NEEDS YOU", needs_you), ("HELD", held), ("FROZEN", frozen)],
)
def test_the_states(
    scene: Scene, browser: Browser, pictures: Path, kind: str, come_about: Callable[[Scene], None]
) -> None:
    stage = scene.stage
    stage.publish()
    with stage.enactor(), scene.living():
        stage.settled()
        come_about(scene)
        with served(stage) as page:
            browser.open(page.url)
            shows(browser, kind)
            same_as_status(browser, stage)
            assert browser.ask("return document.title").startswith(WORDS[kind])
            looks_right(browser, page, pictures, kind)


def test_blind(unserved: Scene, browser: Browser, pictures: Path) -> None:
    unserved.stage.publish()
    unserved.checks()
    with unserved.living(), served(unserved.stage) as page:
        browser.open(page.url)
        shows(browser, "BLIND")
        assert "can't be read" in browser.text(".chain .broken")
        looks_right(browser, page, pictures, "BLIND")


def same_as_status(browser: Browser, stage: Stage) -> None:
    """The page says what `standfast status` says; at one moment, for both may just be renewed."""
    end = time.monotonic() + 60
    while True:
        said = stage.run("status").out.splitlines()
        shown = browser.text(".verdict h1").split(), browser.text(".verdict .main code")
        if shown == (said[0].split(), said[1].strip()):
            return
        assert time.monotonic() < end, f"{said[:2]} but the page: {shown}"


def looks_right(browser: Browser, page: Served, pictures: Path, kind: str) -> None:
    """On a desk and on a phone; small; without an error, and nothing from elsewhere."""
    name = kind.replace(" ", "-").lower()
    until(lambda: "live · " in browser.text("#live"), "it says that it is live")
    for size, label in ((DESK, "desk"), (PHONE, "phone")):
        browser.see(size)
        assert int(browser.ask("return document.documentElement.scrollWidth")) <= size[0]
        assert len(browser.picture(pictures / f"{name}-{label}.png", whole=True)) > 20_000
    browser.see()
    parts = [page.get(), *(page.get(f"static/{one}") for one in ("page.css", "page.js", "icon.svg"))]
    assert sum(len(one.content) for one in parts) < OCTETS_MAX
    loaded = browser.ask("return performance.getEntriesByType('resource').map(one => one.name)")
    assert all(str(one).startswith(page.url) for one in loaded)
    assert browser.complaints() == []


def test_without_javascript_it_is_whole_and_renews_itself(scene: Scene, chromium: Browser, pictures: Path) -> None:
    scene.stage.publish()
    with scene.stage.enactor(), scene.living():
        scene.az_lost()
        scene.stage.settled()
        with served(scene.stage) as page:
            chromium.see(script=False)
            chromium.open(f"{page.url}?open=www.lb.example.com&link=primaries")
            assert "HANDLED" in chromium.text(".verdict h1")
            assert "seen at" in chromium.text("#live")
            assert "192.0.2.21" in chromium.text(".said")
            assert "enactor a" in chromium.text(".lines")
            assert chromium.driver.find_elements("css selector", ".copy") == []
            assert "g3" in chromium.text(".answers tbody tr:last-child")
            assert 'http-equiv="refresh" content="10"' in page.get().text
            chromium.click(".row.opened th a")
            until(lambda: not chromium.driver.find_elements("css selector", ".detail"), "the link is followed")
            chromium.picture(pictures / "no-script.png", whole=True)
            chromium.see()


def test_the_copy_button_copies_the_very_line(scene: Scene, browser: Browser) -> None:
    scene.stage.publish()
    with scene.living(), served(scene.stage) as page:
        rights = {"origin": page.url.rstrip("/"), "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
        browser.driver.execute_cdp_cmd("Browser.grantPermissions", rights)
        browser.open(page.url)
        line = browser.text(".exit .cmd code")

        def copied(what: str, act: Callable[[], None]) -> bool:
            act()  # anew each time: the words stay for 1.8 s, and whoever stands still for longer misses them
            end = time.monotonic() + 5
            while browser.text("#tip") != f"copied: {what}":
                if time.monotonic() > end:
                    return False
            return True

        until(lambda: copied(line, lambda: browser.click(".exit .cmd .copy")), "it says what was copied")
        told = "const done = arguments[0]; navigator.clipboard.readText().then(done, error => done(String(error)))"
        assert browser.driver.execute_async_script(told) == line == 'standfast freeze --all --reason "…"'
        body = browser.driver.find_element("css selector", "body")
        until(lambda: copied("standfast drain lb-a1 --wait", lambda: body.send_keys("d")), "d copies a drain")


def test_it_lives_and_greys_out_when_the_stream_stops(scene: Scene, browser: Browser, pictures: Path) -> None:
    stage = scene.stage
    stage.publish()
    with stage.enactor(), scene.living(), served(stage) as page:
        stage.settled()
        browser.open(page.url)
        shows(browser, "FINE")
        until(lambda: browser.text("#live").startswith("live · "), "it is live")
        scene.az_lost()
        shows(browser, "HANDLED")  # nobody loaded it again
        page.stop()
        until(lambda: browser.text("#live").startswith("STALE since "), "it is stale", 60)
        assert "stale" in browser.ask("return document.body.className")
        until(lambda: "grayscale(1)" in browser.ask("return getComputedStyle(document.getElementById('page')).filter"),
              "it is grey")  # fmt: skip
        browser.picture(pictures / "stale.png")
        browser.complaints()  # that the stream is gone


def test_a_look_that_stands_still_is_stale_though_the_server_answers(
    scene: Scene, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("standfast.web.app.STALE_S", 1.0)
    monkeypatch.setattr("standfast.web.page.STALE_S", 1.0)
    scene.stage.publish()
    with scene.living(), served(scene.stage) as page:
        browser.open(page.url)
        page.gatherer.look_s = 0.1
        page.gatherer._stop.set()  # as if it hung
        until(lambda: browser.text("#live").startswith("STALE since "), "it is stale", 60)
        assert 'class="stale"' in page.get().text


def test_the_brush_sets_the_time_of_the_whole_page(scene: Scene, browser: Browser, pictures: Path) -> None:
    stage = scene.stage
    began = stage.now
    for role in ("planner", "enactor"):
        scene.line(began, role, "a", "started", stream="main", observe=False)
    stage.publish()
    with stage.enactor(), scene.living():
        scene.az_lost()
        stage.settled()
        with served(stage) as page:
            browser.open(f"{page.url}?from={began}&to={began + 60}")
            shows(browser, "HANDLED")
            plot = browser.ask("const b = document.querySelector('.track').getBoundingClientRect(); "
                               "return [b.left, b.top, b.width, b.height]")  # fmt: skip
            drag(browser, plot[0] + 0.1 * plot[2], plot[0] + 0.2 * plot[2], plot[1] + 8)  # g1 came at 10 s, g2 at 15 s
            until(lambda: browser.driver.find_elements("css selector", ".then"), "it shows the past")
            assert browser.text(".then").startswith("As of 20")
            assert "FINE" in browser.text(".verdict h1")
            assert "6/6" in browser.text(".names")
            assert browser.text("#live").startswith("as of ")
            browser.picture(pictures / "then.png", whole=True)
            link = browser.driver.current_url
            browser.click("#back")
            shows(browser, "HANDLED")
            browser.open(link)
            assert "FINE" in browser.text(".verdict h1")
            browser.open(page.url)
            browser.click(".track a.bad")
            until(lambda: "at=" in browser.driver.current_url, "a mark is a link to its moment")
            assert browser.complaints() == []


def drag(browser: Browser, start: float, end: float, y: float) -> None:
    for kind, x in (
        ("mousePressed", start),
        ("mouseMoved", (start + end) / 2),
        ("mouseMoved", end),
        ("mouseReleased", end),
    ):
        event = {"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1}
        browser.driver.execute_cdp_cmd("Input.dispatchMouseEvent", event)


def test_the_store_killed(scene: Scene, browser: Browser, pictures: Path) -> None:
    stage = scene.stage
    stage.publish()
    with stage.enactor(), scene.living():
        stage.publish(lb_b1=REFUSED)
        stage.settled()
        with served(stage) as page:
            browser.open(page.url)
            shows(browser, "HANDLED")
            for path in stage.config.store_file.parent.glob("store.sqlite*"):
                path.unlink()
            shows(browser, "BLIND")
            assert "enactor a keeps" in browser.text(".verdict")
            assert "5/6" in browser.text(".names")
            assert "3 checks in a row" in browser.text(".azs")
            browser.picture(pictures / "store-killed.png", whole=True)


def test_times_are_utc_and_the_readers_own_on_hover(scene: Scene, browser: Browser) -> None:
    scene.stage.publish()
    with scene.living(), served(scene.stage) as page:
        browser.open(page.url)
        title = browser.ask("return document.querySelector('.since time').title")
        assert title.splitlines()[0].endswith(" UTC")
        assert "CET" in title.splitlines()[1] or "GMT+1" in title.splitlines()[1], title
