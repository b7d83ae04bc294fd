"""Which entry of the database each label means: suggested, and taken only when confirmed."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from scmpt_core.library import Item
from scmpt_core.markers import EXACT, MarkerDatabase, Match, confirm, shared_entries
from scmpt_core.ontology import names_no_type
from scmpt_core.ui.attribution.keep import forget_matches, keep_matches
from scmpt_core.ui.components import plain

LATER, NONE = "decide later", "no entry of the database"
EARLIER = "remembered from last time"
_NOW = "confirmed_now"  # in this visit: dataset, database and label


def matching(item: Item, database: MarkerDatabase, matches: Sequence[Match]) -> None:
    """The labels in a form; what stands there when it is sent is confirmed."""
    done = sum(match.confirmed for match in matches)
    with st.expander(
        f"What each label is in {database.name}: {done} of {len(matches)} confirmed",
        expanded=done < len(matches), key="matching",
    ):  # fmt: skip
        st.caption(
            "Names of types differ between files and databases. Nothing is computed for a label "
            "until you confirm its entry; it is remembered for this dataset."
        )
        fill = st.toggle(
            "Fill in the likeliest entry of every label", key="fill_entries",
            help="Otherwise only entries of the same cell type are filled in. A wider type is "
            "likely, or the only narrower one; what only looks alike is never filled in. Look "
            "through them: what stands there when you press the button is confirmed.",
        )  # fmt: skip
        with st.form(f"matching_{item.id}_{database.title}", border=False):
            columns = st.columns(2, gap="large")
            chosen = []
            for i, match in enumerate(matches):
                with columns[i % 2]:
                    now = (item.id, database.title, match.label) in _now()
                    chosen.append(_entry(database, match, fill, earlier=not now))
            with st.container(horizontal=True):
                sent = st.form_submit_button(
                    "Confirm these entries", key="confirm_entries", type="primary",
                    icon=":material/check:",
                )  # fmt: skip
                cleared = st.form_submit_button(
                    "Forget all", key="forget_entries", icon=":material/undo:", disabled=not done
                )
        if sent:
            _keep(item, database, matches, chosen)
        if cleared:
            forget_matches(item, database)
            st.rerun()
        _shared(matches)


def _entry(database: MarkerDatabase, match: Match, fill: bool, earlier: bool) -> str:
    """What the label is; suggestions come first."""
    words = {s.entry: f"{s.entry} ({s.because})" for s in match.suggestions}
    options = [LATER, *words, NONE, *(name for name in database.entries if name not in words)]
    at = LATER
    if match.confirmed:
        at = NONE if match.entry is None else match.entry
        if match.accepted == "remembered" and earlier:
            words[at] = f"{at} ({EARLIER})"
    elif match.suggestions:
        best = match.suggestions[0]
        words[LATER] = f"{LATER}; suggested: {best.entry}, as {best.because}"
        if match.entry is not None and (fill or best.how in EXACT):
            at = match.entry
    state = "✓ " if match.confirmed else ""
    # the key holds what is kept, so that a change elsewhere resets the box
    return st.selectbox(
        f"{state}{plain(match.label)}", options, options.index(at),
        lambda name: words.get(name, name),
        key=f"entry_{database.title}_{match.label}_{match.confirmed}_{match.entry}_{fill}",
        help=None if match.suggestions else _why_nothing(match.label),
    )  # fmt: skip


def _why_nothing(label: str) -> str:
    if names_no_type(label):
        return "The label names no cell type."
    return "Nothing in the database looks like it."


def _now() -> set[tuple[str, str, str]]:
    return st.session_state.setdefault(_NOW, set())


def _keep(
    item: Item, database: MarkerDatabase, matches: Sequence[Match], chosen: Sequence[str]
) -> None:
    kept = [
        confirm(match, None if name == NONE else name, database)
        for match, name in zip(matches, chosen, strict=True)
        if name != LATER
    ]
    keep_matches(item, kept, database)
    _now().update((item.id, database.title, match.label) for match in kept)
    st.rerun()


def _shared(matches: Sequence[Match]) -> None:
    for entry, labels in shared_entries(matches).items():
        st.caption(
            f"{plain(', '.join(labels))} share the entry {plain(entry)}: in the correction for "
            "many tests they count once."
        )
