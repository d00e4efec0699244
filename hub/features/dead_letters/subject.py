"""Dead letters: what people do about commands that ended without success."""

from hub.config import Settings
from hub.core.commands.telemetry import Metrics as CommandMetrics
from hub.database.engine import Connection, Database
from hub.features.dead_letters import store
from hub.features.dead_letters.routes import router
from hub.features.dead_letters.service import DeadLetters
from hub.features.dead_letters.telemetry import Event, Metrics
from hub.parts import Parts
from hub.signals.local import LocalSignals
from hub.subject import Subject
from hub.telemetry.log import Log
from hub.telemetry.metrics import Meters


def build(_settings: Settings, parts: Parts) -> Subject:
    """Needs commands."""
    metrics = Metrics(parts.get(Meters))
    parts.add(
        DeadLetters(parts.get(Database), parts.get(LocalSignals), parts.get(CommandMetrics), metrics, parts.get(Log))
    )

    async def count(connection: Connection) -> None:
        metrics.open.set(await store.number_open(connection))

    return Subject(routers=(router,), events=(Event,), figures=(count,))
