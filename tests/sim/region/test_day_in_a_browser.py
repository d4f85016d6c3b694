"""The page with day and race in headless Chromium: scrubbers, keys, links, what is ticked, sizes, pictures.

The days are made by hand. The pictures lie in the temporary folder of the run (`pytest --basetemp DIR` chooses it).
"""

from collections.abc import Iterator
from typing import Final

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from runtime.staging import eventually
from sim.story.test_race_in_a_browser import SIZES, Browser
from standfast.sim.region.day import Day
from standfast.sim.region.protections import family
from standfast.sim.region.published import scorable
from standfast.sim.region.telling.dayview import october_page
from standfast.sim.story.page import PAGE_OCTETS_MAX

from .planted import planted
from .test_attribution import Planted

RECOVERY: Final = ",".join(Planted.day(family("recovery")).protections)


def days() -> list[Day]:
    dns, client, recovery = family("dns"), family("client"), family("recovery")
    sets = (recovery, client, dns, recovery | client, recovery | dns, client | dns, recovery | client | dns)
    return [planted(late=300.0), *map(Planted.day, sets)]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    folder = tmp_path_factory.mktemp("day")
    file = folder / "october.html"
    file.write_text(october_page(days()), encoding="utf-8")
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


def clock(browser: Browser) -> str:
    return browser.driver.find_element(By.ID, "day-where").text


def moment(browser: Browser) -> str:
    return browser.driver.find_element(By.CSS_SELECTOR, ".moment").text


def pane(browser: Browser) -> str:
    return str(browser.ask("return document.body.dataset.pane"))


def test_it_begins_with_the_day_at_the_fault(browser: Browser) -> None:
    assert pane(browser) == "beside"
    assert browser.visible() == []
    assert clock(browser) == "23:48"
    assert "status: NOERROR, ANSWER: 0 ✗" in moment(browser)


def test_every_scored_milestone_is_reached_by_keys(browser: Browser) -> None:
    browser.press(Keys.HOME)
    for one in scorable():
        browser.press("j")
        assert clock(browser) == one.clock
        text = moment(browser)
        assert f"{one.service}: {one.what}" in text
        assert "○ The model gets there at" in text
        assert "(+5 min)" in text
    browser.press("k", Keys.ARROW_LEFT)
    assert clock(browser) < "14:20"
    browser.press(Keys.END)
    assert clock(browser) == "14:46"
    browser.press(Keys.ARROW_RIGHT)
    assert clock(browser) == "14:46"


def test_two_scrubbers_are_on_one_clock(browser: Browser) -> None:
    browser.driver.find_element(By.XPATH, "//button[text()='02:25 restored']").click()
    assert (clock(browser), browser.where(), pane(browser)) == ("02:25", "step 14 of 14", "beside")
    browser.driver.find_element(By.XPATH, "//button[text()='23:48 emptied']").click()
    assert browser.where() == "step 9 of 14"
    browser.ask("const s = document.getElementById('scrub'); s.value = 14; s.dispatchEvent(new Event('input'))")
    assert (clock(browser), pane(browser)) == ("02:25", "runs")
    assert browser.visible() == ["as-built"]
    assert not browser.driver.find_element(By.CSS_SELECTOR, ".day").is_displayed()
    browser.press(Keys.ARROW_LEFT)
    assert (browser.where(), clock(browser)) == ("step 13 of 14", "23:48")
    browser.ask("const s = document.getElementById('day'); s.value = 36000; s.dispatchEvent(new Event('input'))")
    assert (pane(browser), clock(browser), browser.where()) == ("beside", "09:48", "step 14 of 14")


def test_links_open_the_moment_the_view_and_what_is_ticked(browser: Browser) -> None:
    browser.open(f"?at=05:28&protect={RECOVERY}")
    assert clock(browser) == "05:28"
    assert "with recovery" in browser.driver.find_element(By.CSS_SELECTOR, ".choices summary").text
    assert "With what is ticked: 05:28." in moment(browser)
    kept = str(browser.ask("return location.search"))
    browser.open(kept)
    assert (clock(browser), str(browser.ask("return location.search"))) == ("05:28", kept)
    browser.open("?step=9&with=both")
    assert (pane(browser), browser.visible()) == ("runs", ["as-built", "standfast"])
    browser.open("?step=9&with=both&view=day")
    assert (pane(browser), browser.visible()) == ("beside", [])


@pytest.mark.parametrize("query", ["?at=99:99", "?at=%3Cb%3E", "?protect=nobody,%3C", "?view=&at="])
def test_a_bad_link_opens_the_page(browser: Browser, query: str) -> None:
    browser.open(query)
    assert (pane(browser), clock(browser)) == ("beside", "23:48")
    assert "as built" in browser.driver.find_element(By.CSS_SELECTOR, ".choices summary").text


def test_ticking_draws_the_chosen_run_or_names_the_command(browser: Browser) -> None:
    drawn = "return [...document.querySelectorAll('.strip .chosen')].map((one) => one.getAttribute('d').length)"
    assert browser.ask(drawn) == [0, 0]
    browser.driver.find_element(By.CSS_SELECTOR, "[data-preset=recovery]").click()
    assert all(int(length) > 0 for length in browser.ask(drawn))
    how = browser.driver.find_element(By.CSS_SELECTOR, ".chosen-how")
    assert "everything is clear at 13:15" in how.text
    assert "standfast replay october-2025 --with recovery" in how.text
    browser.driver.find_element(By.CSS_SELECTOR, "[data-protection=admission]").click()
    assert browser.ask(drawn) == [0, 0]
    assert how.text.startswith("Not on this page; run it: standfast replay october-2025 --with lease-grace,")
    assert "admission" not in how.text
    browser.driver.find_element(By.CSS_SELECTOR, "[data-preset=none]").click()
    assert (browser.ask(drawn), how.text) == ([0, 0], "")


def test_what_the_script_draws_is_what_the_page_came_with(browser: Browser) -> None:
    """The bars as built are drawn by Python; the same data drawn by the script give the same shape."""
    browser.ask("document.querySelector('[data-preset=recovery]').click()")
    built, chosen = (
        browser.ask(f"return document.querySelector('.strip[data-service=DynamoDB] .{which}').getAttribute('d')")
        for which in ("built", "chosen")
    )
    assert str(built).replace(" 12v", " 24v") == str(chosen)


def test_a_mark_and_a_bar_are_clicked(browser: Browser) -> None:
    browser.driver.find_element(By.CSS_SELECTOR, ".strip [data-stop=ec2-well]").click()
    assert clock(browser) == "13:50"
    assert "◇ held out, error +3 %" in moment(browser)
    browser.ask(
        "const t = document.querySelector('.track'), b = t.getBoundingClientRect();"
        "t.dispatchEvent(new MouseEvent('click', {bubbles: true, clientX: b.left + b.width / 2, clientY: b.top + 2}))"
    )
    assert clock(browser) == "07:19"
    line = "const c = document.querySelector('.cursor').getBoundingClientRect().left"
    box = "b = document.querySelector('.track').getBoundingClientRect()"
    assert abs(float(browser.ask(f"{line}, {box}; return (c - b.left) / b.width")) - 0.5) < 0.01


def test_without_a_picture_every_time_is_in_the_list(browser: Browser) -> None:
    text = " ".join(browser.driver.find_element(By.CSS_SELECTOR, ".day-list").text.split())
    for one in scorable():
        assert f"{one.clock} {one.service} {one.what}" in text, text
    assert "Not scored: only 4 min after an input (dynamodb-mitigated)." in text


def test_it_is_read_without_a_script(browser: Browser) -> None:
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open()
        find = browser.driver.find_element
        assert "13:50 EC2 all calls and launches normal 13:55 +5 min +3 % ◇" in " ".join(
            find(By.CSS_SELECTOR, ".day-list").text.split()
        )
        assert find(By.CSS_SELECTOR, ".strip[data-service=EC2] .built").is_displayed()
        assert not find(By.CSS_SELECTOR, ".choices").is_displayed(), "what needs the script is not offered"
        assert "deletes plan 110" in find(By.CSS_SELECTOR, ".lists").text
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_it_loads_nothing_and_is_never_wider_than_the_screen(browser: Browser) -> None:
    for width, height in SIZES.values():
        browser.see(width=width, height=height)
        browser.open(f"?at=05:28&protect={RECOVERY}")
        assert browser.ask("return performance.getEntriesByType('resource').length") == 0
        assert int(browser.ask("return document.documentElement.scrollWidth")) <= width


def box(browser: Browser, selector: str) -> dict[str, float]:
    """Where it is on the screen."""
    found: dict[str, float] = browser.ask(
        f"return document.querySelector('{selector}').getBoundingClientRect().toJSON()"
    )
    return found


def touch(browser: Browser, selector: str, share: float) -> None:
    """A finger on that share of its breadth, whatever lies over it. What comes of it comes later: a click is made of
    the touch when the page has seen it."""
    where = box(browser, selector)
    point = {"x": where["left"] + share * where["width"], "y": (where["top"] + where["bottom"]) / 2}
    send = browser.driver.execute_cdp_cmd
    send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


@pytest.fixture
def phone(browser: Browser) -> Iterator[Browser]:
    """390 by 844, with fingers instead of a mouse."""
    width, height = SIZES["narrow"]
    browser.see(width=width, height=height)
    browser.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    yield browser
    browser.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


@pytest.mark.parametrize("view", ["day", "race"])
def test_on_a_phone_fingers_move_both_scrubbers_wherever_the_page_is(phone: Browser, view: str) -> None:
    phone.open(f"?view={view}&step=3&at=05:28")
    for down in (0, 900):
        phone.ask(f"window.scrollTo(0, {down})")
        assert phone.ask("return window.scrollY") == down
        before = {one: box(phone, one)["top"] for one in ("#day", "#scrub")}
        touch(phone, "#day", 0.75)
        eventually(lambda: pane(phone) == "beside" and "10:45" < clock(phone) < "11:45", "the day moves")
        touch(phone, "#scrub", 8 / 14)
        eventually(lambda: (pane(phone), phone.where()) == ("runs", "step 8 of 14"), "the race moves")
        assert clock(phone) == "23:47"
        if not down:
            assert {one: box(phone, one)["top"] for one in before} == before, "they stay under the finger"
        touch(phone, "[data-day=on]", 0.5)
        eventually(lambda: (pane(phone), clock(phone)) == ("beside", "23:48"), "the day goes on")
        touch(phone, "[data-go=back]", 0.5)
        eventually(lambda: (pane(phone), phone.where()) == ("runs", "step 8 of 14"), "the race goes back")


@pytest.mark.parametrize(
    ("width", "height", "most"), [(390, 844, 0.2), (844, 390, 0.25)], ids=["upright", "on its side"]
)
def test_on_a_phone_scrubbers_at_the_top_leave_room(phone: Browser, width: int, height: int, most: float) -> None:
    phone.see(width=width, height=height)
    phone.open("?at=05:28")
    phone.ask("window.scrollTo(0, 900)")
    day, race = box(phone, ".day-controls .scrubber"), box(phone, ".controls:not(.day-controls) .scrubber")
    assert day["top"] == 0
    assert abs(race["top"] - day["bottom"]) < 0.5, "nothing shows between them"
    assert race["bottom"] <= most * height


@pytest.mark.parametrize("view", ["day", "race"])
@pytest.mark.parametrize(("width", "height"), [(390, 844), (844, 390)], ids=["upright", "on its side"])
def test_on_a_phone_everything_can_be_read_and_touched(phone: Browser, view: str, width: int, height: int) -> None:
    phone.see(width=width, height=height)
    for step in (0, 9, 14):
        phone.open(f"?view={view}&step={step}&with=both&protect={RECOVERY}")
        phone.ask("document.querySelector('.choices').open = true")
        for one in ("#day", "#scrub"):
            assert box(phone, one)["width"] > 230
            assert box(phone, one)["height"] >= 36
        outside = phone.ask(
            "const inner = (one) => one.closest('.lanes, .panel, svg, .axis, .track, .patterns');"
            "return [...document.body.querySelectorAll('*')].filter((one) => !inner(one) && one.checkVisibility())"
            f".filter((one) => one.getBoundingClientRect().right > {width} || one.scrollWidth > one.clientWidth + 1"
            " && one.clientWidth > 0).map((one) => one.outerHTML.slice(0, 99))"
        )
        assert outside == []
        over = phone.ask(
            "const all = [...document.querySelectorAll('.top :is(button, input, select, output)')];"
            "const seen = all.filter((one) => one.checkVisibility()).map((one) => [one, one.getBoundingClientRect()]);"
            "return seen.flatMap(([one, a], place) => seen.slice(place + 1).filter(([, b]) => a.left < b.right - 1 &&"
            " b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)"
            ".map(([other]) => one.outerHTML + other.outerHTML))"
        )
        assert over == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_pictures(browser: Browser, tmp_path_factory: pytest.TempPathFactory, dark: bool, size: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "day-pictures"
    folder.mkdir(exist_ok=True)
    width, height = SIZES[size]
    browser.see(width=width, height=height, dark=dark, calm=True)
    taken = []
    for at, protect in (("02:25", ""), ("10:36", RECOVERY)):
        browser.open(f"?at={at}&protect={protect}")
        picture = browser.driver.get_screenshot_as_png()
        assert len(picture) > 20_000, "something is on it"
        (folder / f"{size}-{'dark' if dark else 'light'}-{at.replace(':', '')}.png").write_bytes(picture)
        taken.append(picture)
    assert len(set(taken)) == len(taken)
    ground = str(browser.ask("return getComputedStyle(document.body).backgroundColor"))
    assert ground == ("rgb(13, 17, 23)" if dark else "rgb(255, 255, 255)")
