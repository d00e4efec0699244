"""The services of access; `Access` says who asks."""

from hub.core.access.service.access import Access
from hub.core.access.service.idempotency import Idempotency

__all__ = ["Access", "Idempotency"]
