"""The race page in headless Chromium: every step by keyboard, links, both modes, no error, nothing loaded, pictures.

The pictures lie in the temporary folder of the run (`pytest --basetemp DIR` chooses it), to be looked at.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from sim.story.given import hostile
from standfast.sim.story.page import PAGE_OCTETS_MAX, Run, page
from standfast.sim.story.race import AS_BUILT, STANDFAST, race_page, race_runs
from standfast.sim.story.story import Story

STEPS: Final = 14
LOOKED_AT: Final = (1, 8, 9, 10)
SIZES: Final = {"desktop": (1440, 1000), "narrow": (390, 844)}


class Browser:
    """Chromium with the network off; `shown` is what a reader sees."""

    def __init__(self, profile: Path, file: Path) -> None:
        options = ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        switches = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={profile}"]
        switches += ["--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND"]
        if os.geteuid() == 0:
            switches.append("--no-sandbox")
        for switch in switches:
            options.add_argument(switch)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.address = file.as_uri()

    def see(self, *, width: int = 1440, height: int = 1000, dark: bool = False, calm: bool = False) -> None:
        """What the reader's screen and wishes are."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        wishes = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if calm else "no-preference"},
        ]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wishes})

    def open(self, query: str = "") -> None:
        self.driver.get(self.address + query)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.driver.find_element(By.TAG_NAME, "body").send_keys(key)

    def shown(self, run: str) -> str:
        """The text of the one step of that run that is displayed."""
        articles = self.driver.find_elements(By.CSS_SELECTOR, f'.run[data-run="{run}"] article')
        texts = [one.text for one in articles if one.text]
        assert len(texts) == 1, f"{len(texts)} steps of {run} are displayed"
        return texts[0]

    def visible(self) -> list[str]:
        runs = self.driver.find_elements(By.CSS_SELECTOR, ".run")
        return [str(one.get_attribute("data-run")) for one in runs if one.is_displayed()]

    def where(self) -> str:
        return self.driver.find_element(By.ID, "where").text

    def ask(self, script: str) -> Any:
        return self.driver.execute_script(script)

    def complaints(self) -> list[str]:
        return [str(one["message"]) for one in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def stories() -> dict[str, Story]:
    return {run.key: run.story for run in race_runs()}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    folder = tmp_path_factory.mktemp("race")
    file = folder / "race.html"
    file.write_text(race_page(race_runs(), AS_BUILT), encoding="utf-8")
    assert file.stat().st_size < PAGE_OCTETS_MAX
    browser = Browser(folder / "profile", file)
    yield browser
    browser.driver.quit()


@pytest.fixture
def browser(opened: Browser) -> Iterator[Browser]:
    opened.see()
    opened.open()
    opened.complaints()
    yield opened
    assert opened.complaints() == []


def test_every_step_is_reached_by_keys(browser: Browser, stories: dict[str, Story]) -> None:
    moments = stories[AS_BUILT].moments
    assert "how it begins" in browser.shown(AS_BUILT)
    for step in range(1, STEPS + 1):
        browser.press(Keys.ARROW_RIGHT)
        assert browser.where() == f"step {step} of {STEPS}"
        text = browser.shown(AS_BUILT)
        assert f"Step {step} " in text
        assert moments[step - 1].caption in text
    browser.press(Keys.ARROW_RIGHT)
    assert browser.where() == f"step {STEPS} of {STEPS}"
    browser.press(Keys.ARROW_LEFT)
    assert browser.where() == f"step {STEPS - 1} of {STEPS}"
    browser.press(Keys.HOME)
    assert browser.where() == f"before step 1 of {STEPS}"
    browser.press(Keys.END)
    assert browser.where() == f"step {STEPS} of {STEPS}"


def test_j_and_k_go_to_refusals_and_violations(browser: Browser, stories: dict[str, Story]) -> None:
    notable = [n for n, one in enumerate(stories[AS_BUILT].moments, start=1) if one.refused or one.violation]
    for step in notable:
        browser.press("j")
        assert browser.where() == f"step {step} of {STEPS}"
    browser.press("k")
    assert browser.where() == f"step {notable[-2]} of {STEPS}"
    browser.open(f"?with={STANDFAST}")
    browser.press("j", "j")
    assert browser.where() == f"step 8 of {STEPS}"


@pytest.mark.parametrize("step", LOOKED_AT)
def test_a_link_opens_its_step_and_run(browser: Browser, stories: dict[str, Story], step: int) -> None:
    for run in (AS_BUILT, STANDFAST):
        browser.open(f"?step={step}&with={run}")
        assert browser.visible() == [run]
        text, moment = browser.shown(run), stories[run].moments[step - 1]
        assert moment.caption in text
        assert ("● published" in text or "◐ inferred" in text) if moment.source else "○ ours" in text
    browser.press(Keys.ARROW_LEFT)
    assert str(browser.ask("return location.search")) == f"?step={step - 1}&with={STANDFAST}"


def test_a_single_remedy_has_its_link(browser: Browser, stories: dict[str, Story]) -> None:
    for remedy in ("fence", "recheck"):
        browser.open(f"?step=9&with={remedy}")
        assert browser.visible() == [remedy]
        text = browser.shown(remedy)
        assert ("✗ emptied" in text) == bool(stories[remedy].moments[8].violation)
        assert "○ ours" in text
    lists = browser.driver.find_elements(By.CSS_SELECTOR, ".list")
    assert [one.is_displayed() for one in lists].count(True) == 1


@pytest.mark.parametrize("query", ["?step=99&with=nobody", "?step=-1", "?step=%3Cb%3E", "?with=both,both", "?step="])
def test_a_bad_link_opens_the_page(browser: Browser, query: str) -> None:
    browser.open(query)
    assert browser.visible() == [AS_BUILT]
    assert browser.where() in (f"before step 1 of {STEPS}", f"step {STEPS} of {STEPS}")


def test_both_shows_the_refused_write_at_step_8_beside_the_root_that_went_back(browser: Browser) -> None:
    browser.open("?step=8&with=both")
    assert browser.visible() == [AS_BUILT, STANDFAST]
    built, standfast = browser.shown(AS_BUILT), browser.shown(STANDFAST)
    assert "backwards: the root went from plan 145 to plan 110" in built
    assert "alias dynamodb → plan-110" in built
    assert "marker of dynamodb: expected since 109, found 145" in standfast
    assert "marker dynamodb._standfast since 145" in standfast
    browser.press(Keys.ARROW_RIGHT)
    assert "ANSWER: 0 ✗" in browser.shown(AS_BUILT)
    assert "refers to nothing" in browser.shown(AS_BUILT)
    assert "ANSWER: 0" not in browser.shown(STANDFAST)
    signs = '.run:not([hidden]) svg.body .step[data-step="8"] .stop'
    assert len(browser.driver.find_elements(By.CSS_SELECTOR, signs)) == 1


def test_buttons_scrubber_and_playing(browser: Browser) -> None:
    for label, runs in (("With Standfast", [STANDFAST]), ("Both", [AS_BUILT, STANDFAST]), ("As built", [AS_BUILT])):
        browser.driver.find_element(By.XPATH, f"//button[text()='{label}']").click()
        assert browser.visible() == runs
    browser.driver.find_element(By.CSS_SELECTOR, "[data-go=on]").click()
    browser.ask("const s = document.getElementById('scrub'); s.value = 7; s.dispatchEvent(new Event('input'))")
    assert browser.where() == f"step 7 of {STEPS}"
    scrub = browser.driver.find_element(By.ID, "scrub")
    scrub.send_keys(Keys.ARROW_RIGHT)
    assert browser.where() == f"step 8 of {STEPS}", "one step, not two, with the scrubber in focus"
    browser.press(" ")
    assert browser.driver.find_element(By.CSS_SELECTOR, "[data-go=play]").text == "pause"
    browser.press(Keys.HOME)
    assert browser.driver.find_element(By.CSS_SELECTOR, "[data-go=play]").text == "play"


def test_the_row_of_the_step_is_in_view_in_the_lanes(browser: Browser) -> None:
    for step in (1, 8, 14):
        browser.open(f"?step={step}&with={AS_BUILT}")
        inside = browser.ask(
            "const lanes = document.querySelector('.run:not([hidden]) .lanes').getBoundingClientRect();"
            "const head = document.querySelector('.run:not([hidden]) .pinned').getBoundingClientRect();"
            "const box = document.querySelector('.run:not([hidden]) .step.now .box').getBoundingClientRect();"
            "return box.height > 10 && box.top >= head.bottom - 1 && box.bottom <= lanes.bottom + 1"
        )
        assert inside is True, step


def test_what_changed_flashes_unless_the_reader_wants_calm(browser: Browser) -> None:
    for calm in (False, True):
        browser.see(calm=calm)
        browser.open("?step=9")
        name = browser.ask(
            "return getComputedStyle(document.querySelector('article:not([hidden]) .fresh')).animationName"
        )
        assert name == ("none" if calm else "flash")


def test_it_loads_nothing_and_is_never_wider_than_the_screen(browser: Browser) -> None:
    for width, height in SIZES.values():
        browser.see(width=width, height=height)
        browser.open("?step=9&with=both")
        assert browser.ask("return performance.getEntriesByType('resource').length") == 0
        assert int(browser.ask("return document.documentElement.scrollWidth")) <= width
        text = browser.driver.find_element(By.CSS_SELECTOR, ".lists").text
        assert all(f"{moment}" in text for moment in ("deletes plan 110", "wakes and sends plan 110: refused"))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_pictures(browser: Browser, tmp_path_factory: pytest.TempPathFactory, dark: bool, size: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "race-pictures"
    folder.mkdir(exist_ok=True)
    width, height = SIZES[size]
    browser.see(width=width, height=height, dark=dark, calm=True)
    taken = []
    every = [*((step, view) for step in LOOKED_AT for view in (AS_BUILT, STANDFAST)), (8, "both")]
    for step, view in every if size == "desktop" and not dark else [(8, "both"), (9, AS_BUILT)]:
        browser.open(f"?step={step}&with={view}")
        picture = browser.driver.get_screenshot_as_png()
        assert picture.startswith(b"\x89PNG")
        assert len(picture) > 20_000, "something is on it"
        (folder / f"{size}-{'dark' if dark else 'light'}-{step}-{view}.png").write_bytes(picture)
        taken.append(picture)
    assert len(set(taken)) == len(taken)
    ground = str(browser.ask("return getComputedStyle(document.body).backgroundColor"))
    assert ground == ("rgb(13, 17, 23)" if dark else "rgb(255, 255, 255)")


def test_a_hostile_story_runs_nothing(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "hostile.html"
    file.write_text(page("x", "", (Run("story", "The story", hostile()),)), encoding="utf-8")
    browser.driver.get(file.as_uri() + "?step=1")
    assert "<script>alert('x')</script>" in browser.shown("story")
    assert browser.ask("return document.scripts.length") == 2
