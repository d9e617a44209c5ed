"""A real Chromium that reaches no network but this machine."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from selenium.webdriver.support.ui import WebDriverWait

from benchmarks.chromium import Browser as Browser
from benchmarks.chromium import resize, start

SIZES = {"wide": (1600, 1000), "narrow": (400, 800)}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start it once for all tests."""
    browser = start()
    if browser is None:
        pytest.skip("no Chromium with its driver: apt-get install chromium chromium-driver")
    yield browser
    browser.quit()


@pytest.fixture(params=sorted(SIZES))
def browser(chromium: Browser, request: pytest.FixtureRequest) -> Browser:
    """The browser at two widths."""
    resize(chromium, *SIZES[request.param])
    chromium.get("about:blank")  # the page of another test may still be asking a server that is gone
    for kind in ("browser", "performance"):
        chromium.get_log(kind)  # forget what was before
    return chromium


def errors(browser: Browser) -> list[str]:
    """Return what the console says since the last time, but for hints, and for what a missing graphics card is told."""
    entries: list[dict[str, Any]] = browser.get_log("browser")
    told = [entry for entry in entries if entry["level"] in ("SEVERE", "WARNING")]
    return [entry["message"] for entry in told if "WebGL" not in entry["message"]]


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
