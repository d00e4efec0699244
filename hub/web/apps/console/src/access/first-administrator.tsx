import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { firstAdministratorIsOpen, makeFirstAdministrator } from '@api/session';
import { Field } from '@ui/form/field';
import { makeForm } from '@ui/form/form';
import { FormHead } from '@ui/form/form-head';
import { Button } from '@ui/parts/button';
import { Notice } from '@ui/parts/notice';
import { say } from '@ui/texts/language';
import { at, troubleOf } from '../frame/trouble';
import { useLinkToken } from './link-token';
import { texts } from './texts';

/** What the one-time link opens. Opening it spends nothing; sending the form does. */
export function FirstAdministrator() {
  const token = useLinkToken();
  const isOpen = useSignal<boolean | null>(null);
  useEffect(() => {
    const look = async (): Promise<void> => {
      const answer = await firstAdministratorIsOpen();
      isOpen.value = answer.ok ? answer.data.open : true; // the form says what is wrong with the hub
    };
    void look();
  }, [isOpen]);

  const form = useMemo(
    () =>
      makeForm(async ({ login = '', name = '', password = '', repeated = '' }) => {
        if (password !== repeated) {
          return at('repeated', say(texts.notTheSame));
        }
        const answer = await makeFirstAdministrator({ token: token.value, login: login.trim(), name: name.trim(), password });
        return answer.ok ? null : troubleOf(answer.problem);
      }),
    [token],
  );

  if (isOpen.value === null) return <p role="status">{say(texts.loading)}</p>;
  if (!isOpen.value || token.value === '') {
    return (
      <>
        <Notice kind="plain">
          <p>{say(isOpen.value ? texts.noToken : texts.alreadyMade)}</p>
        </Notice>
        <a class="button" href="/login">
          {say(texts.toSignIn)}
        </a>
      </>
    );
  }
  return (
    <>
      <p class="soft">{say(texts.aboutFirst)}</p>
      <form class="form" noValidate onSubmit={form.onSubmit}>
        <FormHead form={form} />
        <Field form={form} name="login" label={say(texts.login)} hint={say(texts.loginHint)} autocomplete="username" />
        <Field form={form} name="name" label={say(texts.name)} hint={say(texts.nameHint)} autocomplete="name" optional />
        <Field form={form} name="password" label={say(texts.passwordField)} hint={say(texts.passwordHint)} type="password" autocomplete="new-password" />
        <Field form={form} name="repeated" label={say(texts.repeatPassword)} type="password" autocomplete="new-password" />
        <Button submit wide kind="main" pending={form.isPending.value}>
          {say(texts.makeAdministrator)}
        </Button>
      </form>
    </>
  );
}
