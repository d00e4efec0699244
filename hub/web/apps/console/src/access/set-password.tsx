import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { setPassword } from '@api/session';
import { Field } from '@ui/form/field';
import { makeForm } from '@ui/form/form';
import { FormHead } from '@ui/form/form-head';
import { Button } from '@ui/parts/button';
import { Notice } from '@ui/parts/notice';
import { say } from '@ui/texts/language';
import { at, troubleOf } from '../frame/trouble';
import { useLinkToken } from './link-token';
import { texts } from './texts';

/** What the link opens with which a person sets a password. Opening it spends nothing; sending the form does. */
export function SetPassword() {
  const token = useLinkToken();
  const isSet = useSignal(false);
  const form = useMemo(
    () =>
      makeForm(async ({ password = '', repeated = '' }) => {
        if (password !== repeated) return at('repeated', say(texts.notTheSame));
        const answer = await setPassword(token.value, password);
        isSet.value = answer.ok;
        return answer.ok ? null : troubleOf(answer.problem);
      }),
    [token, isSet],
  );
  if (isSet.value || token.value === '') {
    return (
      <>
        <Notice kind={isSet.value ? 'good' : 'plain'}>
          <p role="status">{say(isSet.value ? texts.nowSignIn : texts.noToken)}</p>
        </Notice>
        <a class="button" href="/login">
          {say(texts.toSignIn)}
        </a>
      </>
    );
  }
  return (
    <>
      <p class="soft">{say(texts.aboutSet)}</p>
      <form class="form" noValidate onSubmit={form.onSubmit}>
        <FormHead form={form} />
        <Field form={form} name="password" label={say(texts.choosePassword)} hint={say(texts.passwordHint)} type="password" autocomplete="new-password" />
        <Field form={form} name="repeated" label={say(texts.repeatPassword)} type="password" autocomplete="new-password" />
        <Button submit wide kind="main" pending={form.isPending.value}>
          {say(texts.setPassword)}
        </Button>
      </form>
    </>
  );
}
