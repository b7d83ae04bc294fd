"""The Attribution page in a real browser: explain a few cells, click a gene, see it on the map."""

from __future__ import annotations

import re

import pytest

from scmpt_core.library import LOCAL, Library, add_dataset
from tests.browser.test_app import wait_for_job
from tests.conftest import TYPES, toy
from tests.pages.test_classify import _model


@pytest.fixture(scope="module")
def explained(server, tmp_path_factory):
    """A small model of toy cells, and other toy cells that bring a map."""
    library = Library(server.home)
    model = library.add(LOCAL, "model", "toy model", lambda f: _model(f, server.home))
    cells = toy(20)
    cells.obsm["X_umap"] = cells[:, ["CD79A", "CD3D"]].X.toarray()
    path = tmp_path_factory.mktemp("cells") / "toy.h5ad"
    cells.write_h5ad(path)
    return model, add_dataset(library, LOCAL, path)


def test_explain_cells_and_look_at_a_clicked_gene(server, page, shots, explained):
    model, data = explained
    page.goto(f"{server.url}/attribution?dataset={data.id}&model={model.id}")
    page.get_by_label("Cells of each type").fill("1")
    page.get_by_label("Cells of each type").press("Enter")
    page.get_by_text("At most 3 cells (1 of each of 3 types), 3 explanations").wait_for()
    page.get_by_role("button", name="Explain these cells").click()
    job = wait_for_job(server.home, lambda j: not j.active, 60)
    assert (job.kind, job.state) == ("attribute", "done")
    assert job.settings["model"] == model.id
    page.get_by_text("3 cells of 3 types explained for").wait_for()

    bars = page.get_by_role("figure", name=re.compile("^B, Integrated gradients")).first
    gene = bars.locator(".ytick text").first.text_content()
    assert gene in TYPES["B"]  # a planted marker carried the label most
    bars.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    bars.locator(".barlayer .point").first.click(force=True)
    shown = page.get_by_role("figure", name=re.compile(f"^{gene}, log-normalised expression on"))
    shown.wait_for()
    page.get_by_text(f"{gene}, Integrated gradients").wait_for()
    assert page.get_by_role("tab", name="One gene").get_attribute("aria-selected") == "true"
    page.get_by_text("map of n = 60 cells, from the file").wait_for()
    page.screenshot(path=shots / "attribution_gene.png", full_page=True)


def test_a_clicked_gene_is_taken_away_and_put_back(server, page, shots, explained):
    page.goto(f"{server.url}/attribution?part=One+cell&type=T")
    page.get_by_text("A click takes a gene away, or puts it back").wait_for()
    tiles = page.locator("[class*='st-key-wide_sentence'] .barlayer .point")
    first = tiles.first
    gene = first.locator("text tspan").first.text_content().removeprefix("◆ ")
    first.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    first.click(force=True)
    page.get_by_text(f"without {gene}: calibrated probabilities").wait_for()
    taken = tiles.filter(has_text="taken away")
    taken.first.wait_for()
    page.wait_for_timeout(500)
    page.screenshot(path=shots / "attribution_taken_away.png", full_page=True)
    assert gene in taken.text_content()
    assert "type=T" in page.url
    taken.click(force=True)  # on the chart drawn since
    page.get_by_text("Take genes away to see how the probabilities move").wait_for()
    assert tiles.filter(has_text="taken away").count() == 0
