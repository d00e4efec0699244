import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Problem, Result } from '@api/problem';
import { endOtherSessions, endSession, listSessions, type Session } from '@api/session';
import { announce } from '@ui/live/announcer';
import { Button } from '@ui/parts/button';
import { Badge, Card, Facts, type Fact } from '@ui/parts/card';
import { Notice } from '@ui/parts/notice';
import { Time } from '@ui/parts/time';
import { relative } from '@ui/texts/formats';
import { say } from '@ui/texts/language';
import { ProblemNotice } from '../frame/problem-notice';
import { deviceOf } from './device';
import { texts } from './texts';
import './access.css';

/** Stands for all sessions but this one, where an id is asked for. */
const OTHERS = 'others';

type Failure = { readonly of: string; readonly problem: Problem };

/** Where one is signed in, with a way to end each. */
export function Sessions() {
  const items = useSignal<readonly Session[] | null>(null);
  const listing = useSignal<Problem | null>(null);
  const pending = useSignal<string | null>(null);
  const failure = useSignal<Failure | null>(null);
  const done = useSignal('');

  const load = async (): Promise<void> => {
    const answer = await listSessions();
    if (answer.ok) items.value = answer.data.items;
    listing.value = answer.ok || answer.problem.code === 'unauthorized' ? null : answer.problem;
  };
  useEffect(() => void load(), []);

  const end = async (of: string, call: () => Promise<Result<unknown>>, said: string): Promise<void> => {
    if (pending.value !== null) return;
    pending.value = of;
    failure.value = null;
    done.value = '';
    const answer = await call();
    // Whoever is gone already is what was asked for.
    if (answer.ok || answer.problem.status === 404) {
      done.value = said;
      announce(said);
      await load();
    } else if (answer.problem.code !== 'unauthorized') {
      failure.value = { of, problem: answer.problem };
    }
    pending.value = null;
  };

  const shown = items.value;
  const others = shown?.filter((session) => !session.current) ?? [];
  const failed = (of: string): Problem | null => (failure.value?.of === of ? failure.value.problem : null);
  const failedOthers = failed(OTHERS);
  return (
    <>
      <p class="lead">{say(texts.aboutSessions)}</p>
      {listing.value !== null && <ProblemNotice problem={listing.value} onTryAgain={() => void load()} />}
      {shown === null && listing.value === null && <p role="status">{say(texts.loading)}</p>}
      {done.value !== '' && (
        <Notice kind="good">
          <p>{done.value}</p>
        </Notice>
      )}
      {shown !== null && (
        <ul class="sessions" role="list">
          {inOrder(shown).map((session) => (
            <SessionCard
              key={session.id}
              session={session}
              isPending={pending.value === session.id}
              problem={failed(session.id)}
              onEnd={() => void end(session.id, () => endSession(session.id), say(texts.endedThere))}
            />
          ))}
        </ul>
      )}
      {shown !== null && others.length === 0 && done.value === '' && <p class="soft">{say(texts.noOthers)}</p>}
      {failedOthers !== null && <ProblemNotice problem={failedOthers} />}
      {others.length > 1 && (
        <div>
          <Button pending={pending.value === OTHERS} onPress={() => void end(OTHERS, endOtherSessions, say(texts.endedOthers, others.length))}>
            {say(texts.signOutOthers)}
          </Button>
        </div>
      )}
    </>
  );
}

/** This one first, then those used last. */
const inOrder = (sessions: readonly Session[]): Session[] =>
  sessions.toSorted((one, other) => Number(other.current) - Number(one.current) || other.seenAt.localeCompare(one.seenAt));

type SessionCardProps = {
  readonly session: Session;
  readonly isPending: boolean;
  readonly problem: Problem | null;
  readonly onEnd: () => void;
};

function SessionCard({ session, isPending, problem, onEnd }: SessionCardProps) {
  const device = deviceOf(session.userAgent);
  const leave = (
    <Button pending={isPending} label={`${say(texts.signOutThere)}: ${device}`} onPress={onEnd}>
      {say(texts.signOutThere)}
    </Button>
  );
  const facts: readonly Fact[] = [
    [say(texts.address), session.address ?? say(texts.unknownAddress)],
    [say(texts.lastSeen), <Time key="seen" iso={session.seenAt} text={relative(session.seenAt)} />],
    [say(texts.signedInAt), <Time key="created" iso={session.createdAt} />],
    [say(texts.endsAt), <Time key="expires" iso={session.expiresAt} />],
  ];
  return (
    <li>
      <Card title={device} beside={session.current ? <Badge kind="good">{say(texts.thisOne)}</Badge> : leave}>
        {problem !== null && <ProblemNotice problem={problem} />}
        <Facts facts={facts} />
      </Card>
    </li>
  );
}
