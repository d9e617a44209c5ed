"""Takes the screenshots in docs/images/, of the runs of this checkout: `python -m docs.pictures`."""

import base64
import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from selenium.webdriver.support.ui import WebDriverWait

from benchmarks.chromium import Browser, resize, start
from experiments.settings.project import Project

WIDTH, HEIGHT = 1600, 1150
# A picture in a README: few colours lose nothing that is to be seen.
COLOURS, MOST_BYTES = 128, 300_000


def shoot(browser: Browser, path: Path, height: int) -> None:
    """Write the first screen as a PNG file of few colours."""
    clip = {"x": 0, "y": 0, "width": WIDTH, "height": height, "scale": 1}
    shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"clip": clip})
    image = Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("RGB")
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
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
    process = subprocess.Popen(
        command, cwd=project.root, stderr=subprocess.PIPE, text=True, start_new_session=True, bufsize=1
    )
    try:
        assert process.stderr is not None
        said = next(line for line in process.stderr if line.startswith("MLflow: "))
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.2)
        yield said.split()[-1]
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate()


def main() -> None:
    """Take both."""
    project, browser = Project.find(), start()
    if browser is None:
        sys.exit("expected Chromium with its driver; got none (Debian: apt install chromium chromium-driver)")
    images = project.root / "docs" / "images"
    try:
        resize(browser, WIDTH, HEIGHT)
        browser.get(project.page.as_uri())
        wait_for(browser, "document.querySelector('#curves .main-svg')")
        time.sleep(1)  # what is drawn last
        shoot(browser, images / "report.png", HEIGHT)
        with served(project) as address:
            browser.get(address)
            wait_for(browser, "document.body.innerText.includes('test/accuracy')")
            time.sleep(5)  # its charts
            shoot(browser, images / "mlflow.png", 900)
    finally:
        browser.quit()


if __name__ == "__main__":
    main()
