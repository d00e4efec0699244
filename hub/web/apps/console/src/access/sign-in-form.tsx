import { useEffect, useMemo, useRef } from 'preact/hooks';
import { signInWith } from '@api/session';
import { Field } from '@ui/form/field';
import { makeForm } from '@ui/form/form';
import { FormHead } from '@ui/form/form-head';
import { Button } from '@ui/parts/button';
import { say } from '@ui/texts/language';
import { troubleOf } from '../frame/trouble';
import { texts } from './texts';

/** Name and password. A wrong pair clears the password and keeps the name. */
export function SignInForm({ login = '' }: { readonly login?: string }) {
  const element = useRef<HTMLFormElement>(null);
  const form = useMemo(
    () =>
      makeForm(async ({ login: name = '', password = '' }, { elements }) => {
        const answer = await signInWith(name.trim(), password);
        if (answer.ok) return null;
        const field = elements.namedItem('password');
        if (answer.problem.status === 401 && field instanceof HTMLInputElement) {
          field.value = '';
          field.focus();
        }
        return troubleOf(answer.problem);
      }),
    [],
  );
  useEffect(() => {
    // The first thing to type: the name, or the password when the name is known.
    const fields = [...(element.current?.querySelectorAll('input') ?? [])];
    const [name] = fields;
    if (name !== undefined && name.value === '') name.value = login;
    fields.find((field) => field.value === '')?.focus();
  }, [login]);
  return (
    <form class="form" ref={element} noValidate onSubmit={form.onSubmit}>
      <FormHead form={form} />
      <Field form={form} name="login" label={say(texts.login)} autocomplete="username" />
      <Field form={form} name="password" label={say(texts.passwordField)} type="password" autocomplete="current-password" />
      <Button submit wide kind="main" pending={form.isPending.value}>
        {say(texts.signIn)}
      </Button>
    </form>
  );
}
