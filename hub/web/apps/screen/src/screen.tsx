import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Client } from '@client/page';
import type { Shown, Standing } from '@client/talk';
import { Announcer } from '@ui/live/announcer';
import { Button } from '@ui/parts/button';
import { Facts, type Fact } from '@ui/parts/card';
import { Notice } from '@ui/parts/notice';
import { LanguageChoice, ThemeChoice } from '@ui/parts/preferences';
import { Time } from '@ui/parts/time';
import { timeOfDay } from '@ui/texts/formats';
import { say } from '@ui/texts/language';
import { clear, message } from './actions/message';
import { forgetLast, keepLast, lastOf } from './last';
import icon from './mark.svg';
import { texts } from './texts';
import './screen.css';

const CALM: ReadonlySet<Standing> = new Set(['online', 'starting', 'connecting', 'asleep']);

/** What a browser that is a client shows: who it is, whether it is connected, and what it was sent last. */
export function Screen({ client }: { readonly client: Client }) {
  const shown = client.shown.value;
  const wanted = wantedClient(shown.clientId);
  useEffect(() => {
    document.title = `${shown.name === '' ? say(texts.title) : shown.name} - Floorhub`;
  });
  useEffect(() => {
    if (shown.standing === 'unpaired') {
      clear();
      forgetLast();
    }
    if (shown.clientId !== null) rememberClient(shown.clientId);
  }, [shown.standing, shown.clientId]);
  useEffect(() => {
    if (shown.clientId !== null && shown.last !== null) keepLast(shown.clientId, shown.last);
  }, [shown.clientId, shown.last]);
  const hasMessage = message.value !== null && message.value.clientId === shown.clientId;
  return (
    <>
      <Announcer />
      <header class="screen-top">
        <img src={icon} alt="" width="28" height="28" />
        <h1 class="screen-name">{shown.name === '' ? say(texts.title) : shown.name}</h1>
        <Light standing={shown.standing} />
      </header>
      <main class="screen-main" data-message={hasMessage || undefined}>
        {hasMessage && (
          <p class="screen-message" dir="auto">
            {message.value?.text}
          </p>
        )}
        <Trouble client={client} shown={shown} wanted={wanted} />
        {shown.clientId !== null && (
          <section class="screen-facts" aria-label={say(texts.about)}>
            <Facts facts={factsOf(shown)} />
          </section>
        )}
      </main>
      <footer class="screen-foot">
        <LanguageChoice bare />
        <ThemeChoice bare />
      </footer>
    </>
  );
}

/** The state of the connection in one word; the word says it, the colour repeats it. */
function Light({ standing }: { readonly standing: Standing }) {
  return (
    <p class="screen-light" data-standing={standing} role="status">
      {say(texts.standings[standing])}
    </p>
  );
}

type TroubleProps = { readonly client: Client; readonly shown: Shown; readonly wanted: string | null };

/** Why it does not work, and what a person can do. */
function Trouble({ client, shown, wanted }: TroubleProps) {
  const { standing, retryAt, clientId } = shown;
  if (CALM.has(standing)) return shown.distrusts === null ? null : <Said>{say(texts.distrusts, shown.distrusts)}</Said>;
  if (standing === 'unpaired' || standing === 'gone') {
    const id = clientId ?? wanted;
    return (
      <Said>
        {id === null ? say(texts.unpaired) : say(texts.lost, id)}
        <span class="screen-line">{id === null ? say(texts.pair) : say(texts.pairAgain)}</span>
        <code>{id === null ? 'floorhub pair ID --kind screen' : `floorhub pair ${id} --replace`}</code>
      </Said>
    );
  }
  if (standing === 'other_tab') return <Said>{say(texts.otherTab)}</Said>;
  const sentence = standing === 'refused' ? texts.refused : standing === 'fenced' ? texts.fenced : standing === 'failed' || standing === 'broken' ? texts[standing] : texts.waiting;
  return (
    <Notice kind={standing === 'waiting' ? 'plain' : 'bad'}>
      <p>{say(sentence)}</p>
      {standing === 'refused' && clientId !== null && (
        <>
          <code>floorhub client enable {clientId}</code>
          <p>{say(texts.refusedStill)}</p>
          <code>floorhub pair {clientId} --replace</code>
        </>
      )}
      {retryAt !== null && standing !== 'waiting' && <p>{say(texts.again, timeOfDay(retryAt))}</p>}
      {standing !== 'failed' && standing !== 'broken' && <Button onPress={client.resume}>{say(texts.tryNow)}</Button>}
    </Notice>
  );
}

function Said({ children }: { readonly children: ComponentChildren }) {
  return (
    <Notice kind="bad">
      <p>{children}</p>
    </Notice>
  );
}

function factsOf(shown: Shown): readonly Fact[] {
  const last = shown.last ?? lastOf(shown.clientId);
  return [
    [say(texts.id), shown.clientId],
    [say(texts.zone), shown.zone ?? say(texts.none)],
    ...(shown.groups.length === 0 ? [] : [[say(texts.groups), shown.groups.join(', ')] as const]),
    [say(texts.hub), location.host],
    ...(shown.since === null ? [] : [[say(texts.since), <Time key="since" iso={new Date(shown.since).toISOString()} />] as const]),
    [
      say(texts.last),
      last === null ? (
        say(texts.none)
      ) : (
        <>
          {last.action}
          {last.action !== '' && ' · '}
          {last.status in texts.statuses ? say(texts.statuses[last.status as keyof typeof texts.statuses]) : last.status} ·{' '}
          <Time iso={new Date(last.at).toISOString()} />
        </>
      ),
    ],
  ];
}

const NAMES = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** The address keeps which client this is, for a person who finds the storage cleared: a kiosk starts with it. */
function rememberClient(clientId: string): void {
  if (wantedClient(null) !== clientId) history.replaceState(null, '', `?client=${clientId}`);
}

function wantedClient(known: string | null): string | null {
  const named = new URLSearchParams(location.search).get('client') ?? '';
  return known ?? (NAMES.test(named) ? named : null);
}
