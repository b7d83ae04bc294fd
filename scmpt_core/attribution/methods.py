"""The list of methods. Adding one is a file and a line."""

from scmpt_core.attribution.base import MethodInfo
from scmpt_core.attribution.gradients import INTEGRATED_GRADIENTS
from scmpt_core.attribution.lime import LIME
from scmpt_core.attribution.occlusion import OCCLUSION
from scmpt_core.attribution.shap import SHAP
from scmpt_core.registry import find

METHODS = [INTEGRATED_GRADIENTS, LIME, OCCLUSION, SHAP]


def get_method(name: str) -> MethodInfo:
    """The method of that name.

    Raises
    ------
    SettingError
        There is none.
    """
    return find(METHODS, name, "attribution method")
