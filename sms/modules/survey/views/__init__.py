"""What of surveys is reached by HTTP."""

from sms.modules.survey.views import (
    api,
    pages_list,
    pages_results,
    pages_setup,
    pages_start,
    pages_thread,
    pages_unasked,
)
from sms.modules.survey.views.frame import blueprint

__all__ = [
    "api",
    "blueprint",
    "pages_list",
    "pages_results",
    "pages_setup",
    "pages_start",
    "pages_thread",
    "pages_unasked",
]
