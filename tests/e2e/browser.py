"""A real Chromium without a window, driven by Selenium, for looking at the registry's page."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from tests.contract.processes import find_program, poll

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAMS = ("chromium", "chromedriver")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-dev-shm-usage",
)


class Browser:
    """One window, looking at one registry.

    Args:
        driver: Selenium's handle.
        url: the registry's address.
        folder: where photographs go; without one none are taken.
    """

    def __init__(self, driver: Chrome, url: str, folder: Path | None) -> None:
        self._driver = driver
        self.url = url
        self._folder = folder
        self._width_px = 0

    def resize(self, width_px: int, height_px: int = 900) -> None:
        """Give the page this much room, as a phone or a desktop of that width would."""
        self._width_px = width_px
        size = {"width": width_px, "height": height_px, "deviceScaleFactor": 1, "mobile": width_px < 600}
        self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def prefer(self, scheme: str) -> None:
        """Say that the user likes pages "light" or "dark"."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def open(self, address: str = "/") -> None:
        """Load a page: a path of the registry, or a whole address."""
        self._driver.get(self.url + address if address.startswith("/") else address)

    def forget(self) -> None:
        """Lose the cookies, and with them any login."""
        self._driver.execute_cdp_cmd("Network.clearBrowserCookies", {})

    def back(self) -> None:
        """Press the browser's button."""
        self._driver.back()

    def type(self, field: str, text: str) -> None:
        """Type into the input of that name."""
        self._driver.find_element(By.NAME, field).send_keys(text)

    def press(self, button: str) -> None:
        """Press the button of that name and wait for the page it leads to."""
        page = self._driver.find_elements(By.TAG_NAME, "html")
        self._driver.find_element(By.XPATH, f"//button[normalize-space()='{button}']").click()
        poll(lambda: self._driver.find_elements(By.TAG_NAME, "html") not in ([], page), f"a page after {button!r}")
        poll(lambda: self.run("return document.readyState") == "complete", "it is there as a whole")

    def texts(self, selector: str) -> list[str]:
        """Return the visible text of every element a CSS selector finds."""
        return [element.text for element in self._driver.find_elements(By.CSS_SELECTOR, selector)]

    def run(self, script: str) -> Any:
        """Return what a function body in JavaScript returns; the page's own policy does not hold it up."""
        return self._driver.execute_script(script)

    def complaints(self) -> list[str]:
        """Return what was written to the console since the last call: errors and breaches of the page's policy."""
        return [str(line["message"]) for line in self._driver.get_log("browser")]  # type: ignore[no-untyped-call]

    def photograph(self, name: str) -> None:
        """Save the whole page as PNG, if pictures are wanted."""
        if self._folder is None:
            return
        self.resize(self._width_px, self.run("return document.documentElement.scrollHeight"))
        self._driver.save_screenshot(str(self._folder / f"{name}.png"))


@contextlib.contextmanager
def browser_started(url: str, folder: Path, photographs: Path | None) -> Iterator[Browser]:
    """Run Chromium with a fresh profile in `folder` until the end of the block."""
    chromium, driver_program = (str(find_program(name)) for name in PROGRAMS)
    options = ChromeOptions()
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*_FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    driver = Chrome(options, Service(driver_program, log_output=str(folder / "driver.log")))
    try:
        yield Browser(driver, url, photographs)
    finally:
        driver.quit()
