"""The app in a real browser: demo to comparison, and a refused upload; screenshots are kept."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "test-output"


@pytest.fixture
def server(home):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port),
         "--server.address", "127.0.0.1", "--server.headless", "true"],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    for _ in range(120):
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=1)
            break
        except OSError:
            time.sleep(0.5)
    yield url
    process.terminate()
    process.wait()


@pytest.fixture
def browser():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs a Chromium; .ci/run installs one")
        pytest.skip("no Chromium on this machine (Debian: apt install chromium)")
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield instance
        instance.close()


def test_demo_to_comparison(server, browser):
    SHOTS.mkdir(exist_ok=True)
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto(server)
    page.get_by_role("button", name="Try it on demo cells").click(timeout=60_000)
    page.get_by_text("Ready to use").wait_for(timeout=60_000)
    page.screenshot(path=SHOTS / "dataset_light.png", full_page=True)
    page.get_by_role("link", name="Compare models on these cells").click()
    repeats = page.get_by_label("Repeats with new splits")
    repeats.fill("1")
    repeats.press("Tab")
    page.get_by_role("button", name="Compare", exact=True).click()
    page.get_by_text("Best by macro F1").wait_for(timeout=300_000)
    page.get_by_text("Rows: true type").wait_for(timeout=30_000)
    page.screenshot(path=SHOTS / "compare_light.png", full_page=True)
    page.get_by_role("tab", name="Maps").click()
    page.get_by_text("UMAP of pca").wait_for(timeout=180_000)


@pytest.mark.parametrize("width", [390, 1280])
def test_dark_and_phone_open_and_do_not_scroll_sideways(server, browser, width):
    SHOTS.mkdir(exist_ok=True)
    context = browser.new_context(color_scheme="dark", viewport={"width": width, "height": 844})
    page = context.new_page()
    page.goto(server)
    page.get_by_role("button", name="Try it on demo cells").click(timeout=60_000)
    page.get_by_text("Ready to use").wait_for(timeout=60_000)
    page.screenshot(path=SHOTS / f"dataset_dark_{width}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_bad_upload_is_refused(server, browser, tmp_path):
    bad = tmp_path / "bad.h5ad"
    bad.write_bytes(b"not HDF5")
    page = browser.new_page()
    page.goto(server)
    page.locator("input[type=file]").set_input_files(bad, timeout=60_000)
    page.get_by_role("button", name="Open the upload").click(timeout=30_000)
    page.get_by_text("is not an HDF5 file").wait_for(timeout=30_000)
