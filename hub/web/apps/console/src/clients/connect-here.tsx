import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { numberOf } from '@client/pairing';
import type { Credential, Pairing } from '@api/pairing';
import type { Problem } from '@api/problem';
import { Button } from '@ui/parts/button';
import { Notice } from '@ui/parts/notice';
import { language, say } from '@ui/texts/language';
import { ProblemNotice } from '../frame/problem-notice';
import { connect, obstacle, screenOf, whoIsThis, type Obstacle } from './connect';
import { texts } from './texts';

type ConnectHereProps = { readonly credential: Credential; readonly pairing: Pairing };

/** Connects this browser, by one tap and never without it. */
export function ConnectHere({ credential, pairing }: ConnectHereProps) {
  const lacks = useSignal<Obstacle | null | 'asking'>('asking');
  const problem = useSignal<Problem | null>(null);
  const before = useSignal<string | null>(null);
  const pending = useSignal(false);

  useEffect(() => {
    void (async () => {
      lacks.value = await obstacle();
      before.value = (await whoIsThis())?.clientId ?? null;
    })();
  }, []);
  useEffect(() => {
    problem.value = null; // the hub's sentence is in the language in which it was asked
  }, [language.value]);

  const onPress = async (): Promise<void> => {
    pending.value = true;
    problem.value = null;
    const ended = await connect(credential, pairing);
    if (ended.is === 'connected') {
      // In place of the link, whose secret shall not stay in the history.
      location.replace(screenOf(ended.clientId));
      return;
    }
    pending.value = false;
    if (ended.is === 'obstacle') lacks.value = ended.obstacle;
    else problem.value = ended.problem;
  };

  const lack = lacks.value;
  if (lack === 'asking') return <p role="status">{say(texts.loading)}</p>;
  return (
    <>
      <Number credential={credential} />
      {lack !== null && (
        <Notice kind={lack === 'no_https' ? 'plain' : 'bad'}>
          <p>{say(texts.obstacles[lack])}</p>
        </Notice>
      )}
      {lack === null && before.value !== null && (
        <Notice kind="plain">
          <p>{before.value === pairing.client_id ? say(texts.isAlready) : say(texts.wasOther, before.value)}</p>
        </Notice>
      )}
      {(lack === null || lack === 'no_edge' || lack === 'no_store') && (
        <Button kind="main" wide pending={pending.value} onPress={() => void onPress()}>
          {say(lack === null ? texts.connectHere : texts.tryAgain)}
        </Button>
      )}
      {problem.value !== null && (
        <>
          <ProblemNotice problem={problem.value} />
          {problem.value.code === 'forbidden' && <p>{say(texts.mayNot)}</p>}
        </>
      )}
      <p class="soft">{say(texts.oneTap)}</p>
      {lack === null && <p class="soft">{say(texts.notPrivate)}</p>}
    </>
  );
}

/** The number by which a person sees that this is the link that was made for this machine; of a code it is the code. */
function Number({ credential }: { readonly credential: Credential }) {
  const number = useSignal('');
  useEffect(() => {
    void (async () => {
      if (!isSecureContext || !('token' in credential)) return;
      number.value = await numberOf(credential.token);
    })();
  }, [credential]);
  if (number.value === '') return null;
  return (
    <p class="pair-number">
      <span>{say(texts.number)}</span>
      <strong>{`${number.value.slice(0, 3)} ${number.value.slice(3)}`}</strong>
      <span class="soft">{say(texts.compare)}</span>
    </p>
  );
}
