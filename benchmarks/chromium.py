"""A Chromium without a screen that reaches no network but this machine, for benchmarks, pictures and tests."""

import os
import shutil

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

Browser = webdriver.Chrome


def start() -> Browser | None:
    """Return a running browser; None where Chromium or its driver isn't installed."""
    driver, program = shutil.which("chromedriver"), shutil.which("chromium") or shutil.which("google-chrome")
    if driver is None or program is None:
        return None
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for word in ("--headless=new", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"):
        options.add_argument(word)
    if os.geteuid() == 0:  # Chromium refuses to run as root in its sandbox
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options, Service(driver))
    browser.set_page_load_timeout(60)
    return browser


def resize(browser: Browser, width: int, height: int) -> None:
    """Give the page a size; below 700 pixels it is a telephone's."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
