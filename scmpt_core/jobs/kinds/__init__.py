"""What can be run as a job. Adding a kind is a file and a line here."""

from scmpt_core.jobs.kinds.ablate import ABLATE
from scmpt_core.jobs.kinds.attribute import ATTRIBUTE
from scmpt_core.jobs.kinds.base import Context, JobKind
from scmpt_core.jobs.kinds.classify import CLASSIFY
from scmpt_core.jobs.kinds.compare import COMPARE
from scmpt_core.jobs.kinds.map import MAP
from scmpt_core.jobs.kinds.robustness import ROBUSTNESS
from scmpt_core.registry import find

KINDS = [COMPARE, CLASSIFY, ATTRIBUTE, ABLATE, ROBUSTNESS, MAP]


def find_kind(name: str) -> JobKind:
    """The kind of that name.

    Raises
    ------
    SettingError
        There is none.
    """
    return find(KINDS, name, "kind of job")


__all__ = ["KINDS", "Context", "JobKind", "find_kind"]
