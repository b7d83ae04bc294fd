"""Job: the robustness card of a saved model."""

from __future__ import annotations

from scmpt_core import fusion
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.errors import SettingError
from scmpt_core.jobs.kinds.base import Context, JobKind
from scmpt_core.jobs.kinds.classify import model_of
from scmpt_core.library import Library, open_dataset
from scmpt_core.progress import part
from scmpt_core.robustness import make_card, save_card


def _title(library: Library, owner: str, settings: dict) -> str:
    item = library.get(owner, "dataset", settings["dataset"])
    if "model" not in settings:
        raise SettingError(
            "A model that ships has its card already, made of studies that are not here.",
            "Choose a model that you saved.",
        )
    return f"Robustness of {model_of(library, owner, settings)[0]} on {item.name}"


def _run(context: Context) -> dict:
    item, progress = context.item("dataset", "dataset"), context.progress
    _, folder, _ = model_of(context.library, context.job.owner, context.job.settings)
    progress(0.0, "opening the file and the model")
    dataset, model = open_dataset(item), fusion.load(folder, context.device)
    task = fusion.make_task(dataset, model.record["label"], model.record.get("group"))
    card = make_card(
        model, task, context.store, context.device, item.name, part(progress, 0.02, 1),
        EmbeddingStore(context.scratch),
    )  # fmt: skip
    save_card(card, folder)
    context.drop_parts()
    return {"page": "ablations", "model": context.job.settings["model"]}


ROBUSTNESS = JobKind("robustness", "how a model stands up to other cells", _title, _run)
