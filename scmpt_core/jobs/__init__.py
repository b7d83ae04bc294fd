"""Long work as jobs: it outlives the page, can be stopped, and goes on after a kill."""

from scmpt_core.jobs.estimate import Estimate, estimate_classify, estimate_compare, estimate_map
from scmpt_core.jobs.execute import execute
from scmpt_core.jobs.kinds import KINDS, JobKind
from scmpt_core.jobs.queue import submit
from scmpt_core.jobs.records import ACTIVE, STATES, Job, JobBook

__all__ = [
    "ACTIVE",
    "KINDS",
    "STATES",
    "Estimate",
    "Job",
    "JobBook",
    "JobKind",
    "estimate_classify",
    "estimate_compare",
    "estimate_map",
    "execute",
    "submit",
]
