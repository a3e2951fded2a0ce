"""The HTTP API for programs (CONTRACT.md, "HTTP API"): JSON under /api/v1, documented at /api/docs."""

from sms.views.api import contacts, conversations, docs, messages, preview, understand
from sms.views.api.frame import blueprint

__all__ = ["blueprint", "contacts", "conversations", "docs", "messages", "preview", "understand"]
