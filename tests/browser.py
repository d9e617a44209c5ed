"""A real Chromium that reaches no network but this machine."""

import json
import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

Browser = webdriver.Chrome
SIZES = {"wide": (1600, 1000), "narrow": (400, 800)}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start it once for all tests."""
    driver, program = shutil.which("chromedriver"), shutil.which("chromium") or shutil.which("google-chrome")
    if driver is None or program is None:
        pytest.skip("no Chromium with its driver: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for word in ("--headless=new", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"):
        options.add_argument(word)
    if os.geteuid() == 0:  # Chromium refuses to run as root in its sandbox
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options, Service(driver))
    browser.set_page_load_timeout(60)
    yield browser
    browser.quit()


@pytest.fixture(params=sorted(SIZES))
def browser(chromium: Browser, request: pytest.FixtureRequest) -> Browser:
    """The browser at two widths."""
    width, height = SIZES[request.param]
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": request.param == "narrow"}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    for kind in ("browser", "performance"):
        chromium.get_log(kind)  # forget what was before
    return chromium


def errors(browser: Browser) -> list[str]:
    """Return what the console says since the last time, but for hints."""
    entries: list[dict[str, Any]] = browser.get_log("browser")
    return [entry["message"] for entry in entries if entry["level"] in ("SEVERE", "WARNING")]


def schemes(browser: Browser) -> set[str]:
    """Return how what was asked for since the last time begins: `file` and `data` need no network."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [message["params"]["request"] for message in messages if message["method"] == "Network.requestWillBeSent"]
    return {request["url"].split(":")[0] for request in asked}


def wait_for(browser: Browser, condition: str) -> Any:
    """Return the value of a JavaScript expression once it is true."""

    def value(page: Browser) -> Any:
        return page.execute_script(f"return {condition}")

    return WebDriverWait(browser, 30).until(value, condition)


def has_text(text: str) -> str:
    """Return a condition for `wait_for`: the page shows a text."""
    return f"document.body.innerText.includes({text!r})"


def has_picture(address: str) -> str:
    """Return a condition for `wait_for`: the page shows a picture whose address has this in it."""
    return f"[...document.images].some(each => each.src.includes({address!r}) && each.naturalWidth > 1)"
