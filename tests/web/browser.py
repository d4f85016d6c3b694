"""Headless Chromium, as somebody looks at the page: on a desk, on a phone, without JavaScript."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

DESK = (1440, 1100)
PHONE = (375, 812)


class Browser:
    """One browser; only loopback can be reached."""

    def __init__(self, profile: Path) -> None:
        options = ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        switches = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={profile}"]
        switches += ["--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--lang=en-GB"]
        switches += [
            "--disable-lcd-text",
            "--hide-scrollbars",
            "--force-color-profile=srgb",
        ]  # pictures stay small and alike
        if os.geteuid() == 0:
            switches.append("--no-sandbox")
        for switch in switches:
            options.add_argument(switch)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Europe/Berlin"})

    def see(self, size: tuple[int, int] = DESK, *, script: bool = True, scale: float = 1) -> None:
        """The reader's screen, and whether scripts run."""
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": scale, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not script})

    def open(self, url: str) -> None:
        self.driver.get(url)

    def ask(self, script: str) -> Any:
        return self.driver.execute_script(script)

    def text(self, selector: str) -> str:
        """What is to be read there, without running a script of the page; it may just be renewed."""
        while True:
            try:
                return self.driver.find_element("css selector", selector).text
            except StaleElementReferenceException:
                continue

    def click(self, selector: str) -> None:
        """Click there; it may just be renewed."""
        while True:
            try:
                self.driver.find_element("css selector", selector).click()
            except StaleElementReferenceException:
                continue
            return

    def complaints(self) -> list[str]:
        return [str(one["message"]) for one in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]

    def picture(self, file: Path, *, whole: bool = False, scale: float = 1) -> bytes:
        """A screenshot; `whole`: down to the end of the page."""
        if whole:
            size = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
            metrics = {"width": size["width"], "height": size["height"], "deviceScaleFactor": scale, "mobile": False}
            self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        octets = self.driver.get_screenshot_as_png()
        file.write_bytes(octets)
        return octets


@contextmanager
def browsing(folder: Path) -> Iterator[Browser]:
    """A browser with a profile of its own."""
    one = Browser(folder / "profile")
    try:
        yield one
    finally:
        one.driver.quit()
