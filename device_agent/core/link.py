"""What the agent says on a connection besides reports: births, heartbeats and answers to a roll call.

Pure: `due` gives the messages that are due now. Times are monotonic seconds.
"""

import random

from device_agent.core.events import Now, Publish
from device_agent.core.reporting import moment
from schemas import codec
from schemas.messages import AgentVersion, Birth, Heartbeat, Offline, Will
from schemas.states import Level
from schemas.topics import Channel

HEARTBEAT_S = 10.0
"""At most so long between two; a little less at random, so that a fleet started together does not beat together."""
CONFIRM_WITHIN_S = 3.0
"""A heartbeat this soon after a welcome shows the hub that its epoch is in the journal. Spread, because after a
broker's restart every agent is welcomed at once."""
FIRST_REBIRTH_S = 5.0
MAX_REBIRTH_S = 60.0


class Link:
    """One per process; `connection` is 0 before the first."""

    def __init__(self, client_id: str, session: str, agent: AgentVersion, rng: random.Random, boot: str = "") -> None:
        """`boot` is the machine's, as far as it can be told."""
        self._client_id = client_id
        self._boot = "".join(c for c in boot if " " <= c <= "~")[:64] or None
        self._session = session
        self._agent = agent
        self._rng = rng
        self.connection = 0
        self.up = False
        self._birth_at: float | None = None
        self._births = 0
        self._nonces: set[str] = set()
        self.answered: str | None = None
        """The nonce of the last welcome: each worker of the hub answers a birth, and the first answer counts."""
        self._welcomed = False
        self._heartbeat_at = 0.0
        self._roll_call_at: float | None = None

    def opened(self, connection: int, mono: float) -> None:
        """A new connection: a birth is due."""
        self.connection = connection
        self.up = True
        self._births = 0
        self._nonces.clear()
        self.answered = None
        self._welcomed = False
        self._birth_at = mono
        self._heartbeat_at = mono + self._rng.uniform(0.5, 1.0) * HEARTBEAT_S
        self._roll_call_at = None

    def closed(self) -> None:
        """The connection is gone."""
        self.up = False

    def asked(self, nonce: str) -> bool:
        """Whether a birth of this connection waits for an answer with this nonce."""
        return nonce in self._nonces

    def welcomed(self, mono: float, nonce: str | None, *, new_journal: bool) -> None:
        """The hub answered the birth; whatever answers an earlier one is out of date. `new_journal`: the hub hands
        nothing out before it sees that the journal has taken its new id, so that this is said at once."""
        self._nonces.clear()
        self.answered = nonce
        self._welcomed = True
        self._birth_at = None
        within_s = 0.0 if new_journal else self._rng.uniform(0.0, CONFIRM_WITHIN_S)
        self._heartbeat_at = min(self._heartbeat_at, mono + within_s)

    def ask_welcome(self, mono: float) -> None:
        """Something shows that the hub should welcome us again: say our birth once more, each time more rarely."""
        if self.up and self._birth_at is None:
            self._birth_at = mono + self._rng.uniform(0.2, 1.0) * self._rebirth_delay()

    def roll_call(self, spread_s: float, mono: float) -> None:
        """Answer within `spread_s`, at random; a second call before that changes nothing."""
        if self.up and self._roll_call_at is None:
            self._roll_call_at = mono + self._rng.uniform(0.0, spread_s)

    def take_roll_call(self, mono: float) -> bool:
        """Whether the answer to a roll call is due; the caller answers with reports, this link with a heartbeat."""
        if not self.up or self._roll_call_at is None or mono < self._roll_call_at:
            return False
        self._roll_call_at = None
        self._heartbeat_at = mono
        return True

    def due(self, at: Now, journal: str | None, epoch: int | None, generation: int) -> list[Publish]:
        """The birth and the heartbeat, where they are due."""
        mono = at.mono
        publishes: list[Publish] = []
        if self.up and self._birth_at is not None and mono >= self._birth_at:
            self._births += 1
            # A hub that has welcomed this connection need not answer again, so it is not asked for ever.
            delay = self._rng.uniform(0.75, 1.25) * self._rebirth_delay()
            self._birth_at = None if self._welcomed else mono + delay
            nonce = f"{self._rng.getrandbits(64):016x}"
            self._nonces.add(nonce)
            birth = Birth(
                client_id=self._client_id,
                level=Level.FULL,
                session=self._session,
                connection=self.connection,
                agent=self._agent,
                clock=moment(at.wall),
                epoch=epoch,
                journal=journal,
                mark=generation,
                nonce=nonce,
                boot=self._boot,
            )
            publishes.append(Publish(channel=Channel.PRESENCE, payload=codec.encode(birth), qos=1, retain=True))
        if self.up and mono >= self._heartbeat_at:
            self._heartbeat_at = mono + self._rng.uniform(0.9, 1.0) * HEARTBEAT_S
            beat = Heartbeat(
                client_id=self._client_id,
                session=self._session,
                connection=self.connection,
                epoch=epoch,
                mark=generation,
            )
            publishes.append(Publish(channel=Channel.HEARTBEAT, payload=codec.encode(beat), qos=0))
        return publishes

    def next_due(self) -> float | None:
        """When `due` or `take_roll_call` wants to be asked again."""
        if not self.up:
            return None
        dues = [self._heartbeat_at, self._birth_at, self._roll_call_at]
        return min(due for due in dues if due is not None)

    def _rebirth_delay(self) -> float:
        return min(FIRST_REBIRTH_S * 2.0 ** max(0, self._births - 1), MAX_REBIRTH_S)

    def will(self, connection: int, epoch: int | None) -> bytes:
        """The last will of a connection that is about to be opened."""
        return codec.encode(Will(client_id=self._client_id, session=self._session, connection=connection, epoch=epoch))

    def offline(self, epoch: int | None) -> bytes:
        """The clean good-bye of this connection."""
        return codec.encode(
            Offline(client_id=self._client_id, session=self._session, connection=max(self.connection, 1), epoch=epoch)
        )
