"""Takes the screenshots in docs/images/, of the runs of this checkout: `python -m docs.pictures`."""

import base64
import io
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from PIL import Image
from selenium.webdriver.support.ui import WebDriverWait

from benchmarks.chromium import Browser, resize, start
from experiments.settings.project import Project

WIDTH, HEIGHT = 1600, 1190
MOST_BYTES = 300_000


def shoot(browser: Browser, path: Path, height: int) -> None:
    """Write the first screen as a PNG file."""
    clip = {"x": 0, "y": 0, "width": WIDTH, "height": height, "scale": 1}
    shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"clip": clip})
    image = Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("RGB")
    image.save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path}: {size // 1000} kB")
    if size > MOST_BYTES:
        sys.exit(f"{path}: expected at most {MOST_BYTES} bytes; got {size}")


def wait_for(browser: Browser, condition: str) -> None:
    """Wait until a JavaScript expression is true."""
    WebDriverWait(browser, 60).until(lambda page: page.execute_script(f"return {condition}"), condition)


@contextmanager
def served(project: Project) -> Iterator[str]:
    """Run `tandem ui`; yield the address that it prints."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "experiments", "ui", "--port", str(port)]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, cwd=project.root, stdout=log, stderr=log, start_new_session=True)
        try:
            yield _address(process, log, port)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()


def _address(process: "subprocess.Popen[bytes]", log: TextIO, port: int) -> str:
    """Return the address that the server's log begins with, once it answers."""
    while process.poll() is None:
        time.sleep(0.2)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
    log.seek(0)
    said = log.read()
    if process.poll() is not None:
        sys.exit(f"tandem ui: {said}")
    return next(line.split()[-1] for line in said.splitlines() if line.startswith("MLflow: "))


def main() -> None:
    """Take both."""
    project, browser = Project.find(), start()
    if browser is None:
        sys.exit("expected Chromium with its driver; got none (Debian: apt install chromium chromium-driver)")
    images = project.root / "docs" / "images"
    try:
        resize(browser, WIDTH, HEIGHT)
        browser.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
        browser.get(project.page.as_uri())
        wait_for(browser, "document.querySelector('#curves .main-svg')")
        time.sleep(1)  # what is drawn last
        shoot(browser, images / "report.png", HEIGHT)
        with served(project) as address:
            browser.get(address)
            wait_for(browser, "document.body.innerText.includes('test/accuracy')")
            # What MLflow offers beside the runs.
            browser.execute_script("document.querySelector('[aria-label=Close]')?.click()")
            time.sleep(5)  # its charts
            shoot(browser, images / "mlflow.png", 600)
    finally:
        browser.quit()


if __name__ == "__main__":
    main()
