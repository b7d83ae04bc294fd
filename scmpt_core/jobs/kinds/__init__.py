"""What can be run as a job. Adding a kind is a file and a line here."""

from scmpt_core.errors import SettingError
from scmpt_core.jobs.kinds.base import Context, JobKind
from scmpt_core.jobs.kinds.classify import CLASSIFY
from scmpt_core.jobs.kinds.compare import COMPARE
from scmpt_core.jobs.kinds.map import MAP

KINDS = [COMPARE, CLASSIFY, MAP]


def find_kind(name: str) -> JobKind:
    """The kind of that name.

    Raises
    ------
    SettingError
        There is none.
    """
    for kind in KINDS:
        if kind.name == name:
            return kind
    known = ", ".join(kind.name for kind in KINDS)
    raise SettingError(f"There is no kind of job {name!r}; there are: {known}.", "Name one.")


__all__ = ["KINDS", "Context", "JobKind", "find_kind"]
