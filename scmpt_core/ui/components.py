"""Pieces of pages: errors, empty states, plots, legends, lists."""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import plotly.graph_objects as go
import streamlit as st

from scmpt_core.errors import ScmptError
from scmpt_core.library import Item
from scmpt_core.plots import class_styles
from scmpt_core.ui.state import library, owner, plain

_SIGNS = {"circle": "●", "circle-open": "○", "diamond": "◆", "cross": "✚"}
# seen where a wide figure does not fit
SIDEWAYS = """<style>@media (min-width: 640px) { .sideways { display: none } }</style>
<div class="sideways" style="font-size:0.85rem;opacity:0.7">↔ Moves sideways.</div>"""
PAGES = {
    "start": "pages/start.py",
    "dataset": "pages/dataset.py",
    "compare": "pages/compare.py",
    "classify": "pages/classify.py",
    "attribution": "pages/attribution.py",
    "ablations": "pages/ablations.py",
    "jobs": "pages/jobs.py",
}


@contextmanager
def guarded() -> Iterator[None]:
    """Show what the user can put right; anything else is a bug and goes through."""
    try:
        yield
    except ScmptError as error:
        st.error(f"**{plain(error.message)}**\n\n{plain(error.hint)}")


def plot(
    figure: go.Figure, key: str, caption: str, wide: bool = False,
    on_point: Callable[[], None] | None = None, name: str | None = None,
) -> None:  # fmt: skip
    """A figure with its description in words below it, which screen readers hear too.

    A ``wide`` one is never squeezed: on a phone it moves sideways inside its own frame, and says
    so. ``on_point`` is called when a point or bar is clicked, or none any more. ``name`` is that of
    the file when it is saved, the ``key`` otherwise.
    """
    if wide:
        st.html(SIDEWAYS)
    with st.container(key=f"wide_{key}" if wide else None):
        st.plotly_chart(
            figure, key=key, alt=caption, config=plot_config(name or key),
            on_select=on_point or "ignore", selection_mode="points",
        )  # fmt: skip
    st.caption(plain(caption))


def plot_config(name: str) -> dict:
    """Buttons of a figure: the image it saves is large enough to print."""
    return {
        "toImageButtonOptions": {"filename": name, "scale": 3},
        "displaylogo": False,
        "scrollZoom": False,
    }


def legend(names: Sequence[str], palette: Sequence[str]) -> None:
    """Colour, sign and name of each class, once for all maps of a page."""
    styles = class_styles(palette)
    parts = []
    for name in names:
        colour, marker = styles.get(name, ("#9AA0A6", "circle-open"))
        sign = f'<span style="color:{colour}" aria-hidden="true">{_SIGNS[marker]}</span>'
        parts.append(f'<span style="white-space:nowrap">{sign} {html.escape(name)}</span>')
    st.html(
        '<div style="display:flex;flex-wrap:wrap;gap:0.2rem 1rem;font-size:0.85rem">'
        + "".join(parts)
        + "</div>"
    )


def ago(when: float) -> str:
    """How long ago, in the largest unit that fits."""
    seconds = max(time.time() - when, 0)
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            n = int(seconds // length)
            return f"{n} {unit}{'s' if n > 1 else ''} ago"
    return "just now"


def size(count: int) -> str:
    """Bytes as a person writes them."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def item_names(items: Sequence[Item]) -> dict[str, str]:
    """Id → name for a list to choose from; equal names are told apart."""
    names = [item.name for item in items]
    return {
        item.id: item.name if names.count(item.name) == 1 else f"{item.name} [{item.id[:4]}]"
        for item in items
    }


def item_list(
    kind: str, title: str, describe: Callable[[Item], str], act: Callable[[Item], None]
) -> None:
    """What one keeps, with delete and undo; ``act`` draws the button of each."""
    items = library().list(owner(), kind)
    gone = library().deleted(owner(), kind)
    if not items and not gone:
        return
    total = size(sum(item.size for item in items))
    with st.expander(f"{title} ({len(items)}, {total})"):
        for item in items:
            text, first, second = st.columns([6, 2, 2], vertical_alignment="center")
            text.markdown(f"**{plain(item.name)}** · {plain(describe(item))} · {ago(item.created)}")
            with first:
                act(item)
            if second.button("Delete", key=f"delete_{item.id}", icon=":material/delete:"):
                library().delete(owner(), kind, item.id)
                st.rerun()
        for item in gone:
            text, first, second = st.columns([6, 2, 2], vertical_alignment="center")
            text.caption(f"Deleted: {plain(item.name)} (kept for 7 days, {size(item.size)})")
            if first.button("Undo", key=f"restore_{item.id}", icon=":material/undo:"):
                library().restore(owner(), item.id)
                st.rerun()
            if second.button("For good", key=f"purge_{item.id}", help="Frees the disk at once."):
                library().purge(owner(), item.id)
                st.rerun()


def empty(text: str, page: str, label: str) -> None:
    """Nothing here yet: say what to do, and lead there."""
    st.info(text)
    st.page_link(PAGES[page], label=label, icon=":material/arrow_forward:")
