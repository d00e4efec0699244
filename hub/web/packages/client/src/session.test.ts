import { expect, it } from 'vitest';
import { Session } from './session';

/** A session with a broker that nobody is, and what is heard of its connections. */
function sessionOf(onEnded: (session: Session) => void): Session {
  const session: Session = new Session(
    { url: 'ws://127.0.0.1:9/mqtt', clientId: 'desk', secret: 's' },
    {
      onConnected: async () => undefined,
      onMessage: () => undefined,
      onEnded: async () => onEnded(session),
      onPublished: () => undefined,
      will: () => '',
      goodbye: () => '',
      random: () => 0,
    },
  );
  return session;
}

it.each([true, false])('a session that was stopped (politely: %s) connects no more, whoever wakes it', async (isPolite) => {
  let ends = 0;
  const session = sessionOf((itself) => {
    ends += 1;
    itself.stop({ isPolite });
    itself.resume();
  });
  await session.run();
  expect(ends).toBe(1);
});

it.each([true, false])('a session that is stopped (politely: %s) before it begins, or asleep, ends without a connection', async (isPolite) => {
  let ends = 0;
  const count = (): void => {
    ends += 1;
  };
  const before = sessionOf(count);
  before.stop({ isPolite });
  const asleep = sessionOf(count);
  asleep.sleep('asleep');
  const running = Promise.all([before.run(), asleep.run()]);
  asleep.stop({ isPolite });
  await running;
  expect(ends).toBe(0);
});
