import { useSignal, type Signal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { isPassing } from '@api/http';
import { askAbout, type Credential, type Described } from '@api/pairing';
import type { Problem } from '@api/problem';
import { Field } from '@ui/form/field';
import { makeForm } from '@ui/form/form';
import { FormHead } from '@ui/form/form-head';
import { Notice } from '@ui/parts/notice';
import { Button } from '@ui/parts/button';
import { language, say } from '@ui/texts/language';
import { ProblemNotice } from '../frame/problem-notice';
import { troubleOf } from '../frame/trouble';
import { becameBy, screenOf } from './connect';
import { Found } from './found';
import { isWhole, readLink, type Link, type WholeLink } from './link';
import { texts } from './texts';

type State =
  | { readonly is: 'asking' | 'typing' }
  | { readonly is: 'failed'; readonly link: WholeLink; readonly problem: Problem }
  | { readonly is: 'found'; readonly link: WholeLink; readonly described: Described };

/** The link that opened this page; another one may be opened in the same tab. It stays in the address bar, so that the page
 * survives a reload. */
function useLink(): Signal<Link> {
  const link = useSignal(readLink(location));
  useEffect(() => {
    const look = (): void => {
      link.value = readLink(location);
    };
    addEventListener('hashchange', look);
    return () => removeEventListener('hashchange', look);
  }, [link]);
  return link;
}

/** What is known of the link, with a way to ask (again) and a way to show what is known already. */
function useAnswer(link: Link) {
  const state = useSignal<State>({ is: 'asking' });
  const asked = useRef(0);
  const change = (next: State): void => {
    asked.current += 1; // an answer that is still to come is about something else
    state.value = next;
  };
  const ask = async (of: WholeLink): Promise<void> => {
    asked.current += 1;
    const mine = asked.current;
    const answer = await askAbout(of.credential);
    if (mine === asked.current) change(answer.ok ? { is: 'found', link: of, described: answer.data } : { is: 'failed', link: of, problem: answer.problem });
  };

  useEffect(() => {
    change({ is: isWhole(link) ? 'asking' : 'typing' });
    if (isWhole(link)) void ask(link);
  }, [link]);
  const now = state.value;
  useEffect(() => {
    // The hub's sentence is in the language in which it was asked.
    if (now.is === 'failed') void ask(now.link);
  }, [language.value]);
  useEffect(() => {
    if (now.is !== 'found') return undefined;
    const timer = setTimeout(() => void ask(now.link), now.described.msLeft + 1000);
    return () => clearTimeout(timer);
  }, [now]);
  return { now, ask, change };
}

/** What the link or the QR code of a pairing opens: which machine it is for, and what to do. Changes nothing. */
export function Pair() {
  const link = useLink().value;
  const { now, ask, change } = useAnswer(link);
  switch (now.is) {
    case 'asking':
      return <p role="status">{say(texts.loading)}</p>;
    case 'typing':
      return (
        <CodeForm
          // The address may name another machine than the code is for.
          onFound={(credential, described) => change({ is: 'found', link: { ...link, credential, screenId: '' }, described })}
        />
      );
    case 'failed':
      return <Failed problem={now.problem} credential={now.link.credential} onTryAgain={() => void ask(now.link)} onType={() => change({ is: 'typing' })} />;
    case 'found':
      return <Found {...now.described} link={now.link} />;
  }
}

type FailedProps = { readonly problem: Problem; readonly credential: Credential; readonly onTryAgain: () => void; readonly onType: () => void };

function Failed({ problem, credential, onTryAgain, onType }: FailedProps) {
  const became = useSignal<string | null>(null);
  const isUsed = problem.code === 'pairing_used';
  useEffect(() => {
    became.value = null;
    if (isUsed) void becameBy(credential).then((clientId) => (became.value = clientId));
  }, [isUsed, credential]);
  const mayPass = isPassing(problem) || problem.retryAt !== null;
  const clientId = became.value;
  if (clientId !== null) {
    return (
      <>
        <Notice kind="plain">
          <p>{say(texts.usedHere, clientId)}</p>
        </Notice>
        <Button kind="main" wide onPress={() => location.replace(screenOf(clientId))}>
          {say(texts.openScreen)}
        </Button>
      </>
    );
  }
  return (
    <>
      {mayPass ? <ProblemNotice problem={problem} onTryAgain={onTryAgain} /> : <ProblemNotice problem={problem} />}
      <Button onPress={onType}>{say(texts.typeCode)}</Button>
    </>
  );
}

/** For who has a code and no link. */
function CodeForm({ onFound }: { readonly onFound: (credential: Credential, described: Described) => void }) {
  const form = useMemo(
    () =>
      makeForm(async ({ code = '' }) => {
        const credential = { code: code.trim() };
        const answer = await askAbout(credential);
        if (!answer.ok) return troubleOf(answer.problem);
        onFound(credential, answer.data);
        return null;
      }),
    [],
  );
  return (
    <>
      <p class="soft">{say(texts.aboutCode)}</p>
      <form class="form" noValidate onSubmit={form.onSubmit}>
        <FormHead form={form} />
        <Field form={form} name="code" label={say(texts.code)} hint={say(texts.codeHint)} autocomplete="off" />
        <Button submit wide kind="main" pending={form.isPending.value}>
          {say(texts.show)}
        </Button>
      </form>
    </>
  );
}
