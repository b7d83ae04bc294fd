"""The app in a real browser, with its worker: what a person does, from the start to a file."""

from __future__ import annotations

import re
import time

import anndata as ad
import pandas as pd
import pytest

from scmpt_core.jobs import JobBook
from scmpt_core.labelling import COLUMNS
from scmpt_core.library import LOCAL, Library
from tests.conftest import REAL, toy

UNLABELLED = REAL.parent / "unlabelled" / "tenx_frozen_pbmc_donorA.h5ad"


def wait_for_job(home, until, seconds=240):
    """The newest job, once ``until`` holds for it."""
    book, end = JobBook(home), time.monotonic() + seconds
    while time.monotonic() < end:
        jobs = book.list(LOCAL)
        if jobs and until(jobs[0]):
            return jobs[0]
        time.sleep(0.1)
    raise AssertionError(f"job: {book.list(LOCAL)[:1]}")


def upload(page, server, path):
    page.goto(f"{server.url}/dataset")
    zone = page.get_by_test_id("stFileUploaderDropzone").first
    folded = page.get_by_text("Open other cells")
    zone.or_(folded).filter(visible=True).first.wait_for()
    if not zone.is_visible():  # it is there while folded, and so would be what it answers
        folded.click()
        zone.wait_for()
    page.locator("input[type=file]").first.set_input_files(path)


def test_from_start_to_a_labelled_file(server, page, shots, tmp_path):
    """One click to a comparison; reload in its middle; save, classify, download, open."""
    page.goto(server.url)
    page.get_by_role("button", name="Try it on demo cells").click()
    page.get_by_role("heading", name="Which model labels your cells best?").wait_for()
    page.get_by_text("cells/s").first.wait_for()
    page.screenshot(path=shots / "compare_running.png")
    page.reload()  # the job goes on, and the page finds it again
    page.get_by_role("button", name="Stop").first.wait_for()
    page.get_by_text("Best by macro F1").wait_for(timeout=480_000)
    page.get_by_text("Distances between groups mean little").wait_for()
    page.screenshot(path=shots / "compare.png")
    assert "comparison=" in page.url

    page.get_by_role("button", name="Save model").click()
    page.get_by_role("link", name="Label other cells with it").click()
    page.get_by_role("button", name="Label these cells").click()
    page.get_by_text("700 cells labelled by").wait_for(timeout=300_000)
    page.screenshot(path=shots / "classify.png")
    for label, suffix in (("Download .h5ad", ".h5ad"), ("Download .csv", ".csv")):
        with page.expect_download() as download:
            page.get_by_role("button", name=label).click()
        download.value.save_as(tmp_path / f"out{suffix}")
    labelled = ad.read_h5ad(tmp_path / "out.h5ad")
    table = pd.read_csv(tmp_path / "out.csv", index_col=0)
    assert labelled.n_obs == len(table) == 700
    assert labelled.obs["scmpt_label"].astype(str).tolist() == table["scmpt_label"].tolist()
    assert "bulk_labels" in labelled.obs
    assert set(COLUMNS) <= set(labelled.obs)
    assert 0 < (table["scmpt_label"] == "Unknown").sum() < 700
    with page.expect_download() as download:
        page.get_by_role("button", name="Python script").click()
    assert "classify_file" in download.value.path().read_text()

    page.get_by_role("link", name="Jobs").click()
    page.get_by_role("link", name="Open the result").nth(1).click()  # the older: the comparison
    page.get_by_text("Best by macro F1").wait_for()


def test_the_model_that_ships_labels_cells_without_any_label(server, page, shots, tmp_path):
    """No comparison, no label of one's own: open the cells, one click, the labels."""
    if not UNLABELLED.exists():
        pytest.skip("the real data are not on this machine")
    cells = ad.read_h5ad(UNLABELLED)[:300].copy()
    assert not [c for c in cells.obs if "type" in c]
    cells.write_h5ad(tmp_path / "blood.h5ad")
    upload(page, server, tmp_path / "blood.h5ad")
    page.get_by_role("heading", name="blood.h5ad").wait_for()
    page.get_by_role("link", name="Classify").click()
    page.goto(f"{server.url}/classify?model=pbmc")
    page.get_by_text("main types of human blood cells").first.wait_for()
    page.get_by_role("button", name="Label these cells").click()
    page.get_by_text("300 cells labelled by").wait_for(timeout=300_000)
    page.screenshot(path=shots / "pbmc.png")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download .h5ad").click()
    download.value.save_as(tmp_path / "out.h5ad")
    labels = ad.read_h5ad(tmp_path / "out.h5ad").obs["scmpt_label"].astype(str)
    assert (labels != "Unknown").mean() > 0.5
    assert labels.nunique() > 3  # blood holds T, B and NK cells and monocytes


def test_a_link_shows_a_result_in_a_new_visit_and_after_a_restart(server, page, chromium):
    item = Library(server.home).list(LOCAL, "comparison")[0]
    link = f"{server.url}/compare?comparison={item.id}&view=Confusion"
    server.stop()
    server.start()
    page.goto(link)
    page.get_by_text("Rows: true type").wait_for()
    page.get_by_role("link", name="Start").wait_for()  # the whole app, not the page alone


def test_a_running_job_is_stopped(server, page, tmp_path):
    path = tmp_path / "many.h5ad"
    toy(400).write_h5ad(path)
    upload(page, server, path)
    page.get_by_role("heading", name="many.h5ad").wait_for()
    page.get_by_role("link", name="Compare models on these cells").click()
    page.get_by_role("button", name="Compare", exact=True).click()
    wait_for_job(server.home, lambda j: j.state == "running" and "minilm: " in j.message)
    asked = time.time()
    page.get_by_role("button", name="Stop").first.click()
    job = wait_for_job(server.home, lambda j: not j.active, 20)
    assert job.state == "stopped"
    assert job.finished - asked < 4  # the click's way through the page included
    page.get_by_text("Run it again to go on").wait_for()


def test_a_good_and_a_refused_upload(server, page, shots, tmp_path):
    good, bad = tmp_path / "good.h5ad", tmp_path / "bad.h5ad"
    toy().write_h5ad(good)
    bad.write_bytes(b"not HDF5")
    upload(page, server, bad)
    page.get_by_text("is not an HDF5 file").wait_for()
    page.screenshot(path=shots / "refused.png")
    upload(page, server, good)
    page.get_by_role("heading", name="good.h5ad").wait_for()
    names = [i.name for i in Library(server.home).list(LOCAL, "dataset")]
    assert "good.h5ad" in names
    assert "bad.h5ad" not in names


def test_cells_drawn_around_in_one_map_are_listed(server, page):
    item = Library(server.home).list(LOCAL, "comparison")[0]
    page.goto(f"{server.url}/compare?comparison={item.id}")
    page.get_by_text("Distances between groups mean little").wait_for()
    # its own by its words: how many charts stand above the maps changes
    first_map = page.get_by_role("figure", name=re.compile("^UMAP of")).first.locator(".nsewdrag")
    first_map.scroll_into_view_if_needed()  # the mouse reaches only what is in view
    page.wait_for_timeout(2000)  # charts above may still grow, and would push it away
    first_map.scroll_into_view_if_needed()
    box = first_map.bounding_box()
    x, y, w, h = box["x"], box["y"], box["width"], box["height"]
    page.mouse.move(x + 3, y + 3)
    page.mouse.down()
    for corner in ((x + w - 3, y + 3), (x + w - 3, y + h - 3), (x + 3, y + h - 3), (x + 3, y + 3)):
        page.mouse.move(*corner, steps=8)
    page.mouse.up()
    page.get_by_text("139 cells selected").wait_for()
    page.get_by_role("button", name="Clear selection").click()
    page.get_by_text("139 cells selected").wait_for(state="hidden")


@pytest.mark.parametrize(
    ("look", "width"), [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)]
)
def test_every_page_in_light_dark_and_on_a_phone(server, chromium, shots, look, width):
    """Nothing scrolls sideways, nothing fails; the pictures are kept to be looked at."""
    context = chromium.new_context(color_scheme=look, viewport={"width": width, "height": 1800})
    page = context.new_page()
    demo, compared, labelled = (
        Library(server.home).list(LOCAL, kind)[-1].id
        for kind in ("dataset", "comparison", "classification")
    )
    for name in (
        "", f"dataset?dataset={demo}", f"dataset?dataset={demo}&part=Distributions",
        f"dataset?dataset={demo}&part=Map", f"compare?comparison={compared}",
        f"compare?comparison={compared}&view=Confusion", f"classify?result={labelled}", "jobs",
    ):  # fmt: skip
        page.goto(f"{server.url}/{name}")
        page.locator("h1").wait_for(timeout=60_000)
        page.wait_for_function(
            "document.querySelector('[data-testid=\"stApp\"]')"
            ".getAttribute('data-test-script-state') === 'notRunning'"
        )
        page.wait_for_timeout(1500)
        file = name.split("?")[0] or "start"
        file += "_" + name.rsplit("=", 1)[1] if "&" in name else ""
        page.screenshot(path=shots / f"{file}_{look}_{width}.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert page.get_by_text("Traceback").count() == 0, name
        assert page.locator('[data-testid="stException"]').count() == 0, name
    context.close()


def test_the_start_page_works_by_keyboard(server, page):
    page.goto(server.url)
    page.get_by_role("button", name="Try it on demo cells").wait_for()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText").strip().endswith("demo cells"):
            break
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Which model labels your cells best?").wait_for()
