import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { changePassword, signIn } from '@api/session';
import { Field } from '@ui/form/field';
import { makeForm } from '@ui/form/form';
import { FormHead } from '@ui/form/form-head';
import { announce } from '@ui/live/announcer';
import { Button } from '@ui/parts/button';
import { Card } from '@ui/parts/card';
import { Notice } from '@ui/parts/notice';
import { say } from '@ui/texts/language';
import { at, troubleIn } from '../frame/trouble';
import { texts } from './texts';

/** Change one's own password. */
export function Password() {
  const isSaved = useSignal(false);
  const form = useMemo(
    () =>
      makeForm(async ({ currentPassword = '', newPassword = '', repeated = '' }, element) => {
        isSaved.value = false;
        if (newPassword !== repeated) {
          return at('repeated', say(texts.notTheSame));
        }
        const answer = await changePassword(currentPassword, newPassword);
        if (answer.ok) {
          element.reset();
          isSaved.value = true;
          announce(say(texts.saved));
        }
        return !answer.ok && answer.problem.code === 'wrong_password'
          ? at('currentPassword', answer.problem.detail)
          : troubleIn(answer);
      }),
    [isSaved],
  );
  const state = signIn.value;
  return (
    <>
      <p class="lead">{say(texts.aboutPassword)}</p>
      <Card bare narrow title={say(texts.password)}>
        {isSaved.value && (
          <Notice kind="good">
            <p>{say(texts.saved)}</p>
          </Notice>
        )}
        <form class="form" noValidate onSubmit={form.onSubmit}>
          <FormHead form={form} />
          {/* For password managers, which keep name and password together. */}
          <input type="text" autocomplete="username" value={'who' in state ? (state.who.login ?? '') : ''} readOnly hidden />
          <Field form={form} name="currentPassword" label={say(texts.currentPassword)} type="password" autocomplete="current-password" />
          <Field form={form} name="newPassword" label={say(texts.choosePassword)} hint={say(texts.passwordHint)} type="password" autocomplete="new-password" />
          <Field form={form} name="repeated" label={say(texts.repeatPassword)} type="password" autocomplete="new-password" />
          <div>
            <Button submit kind="main" pending={form.isPending.value}>
              {say(texts.save)}
            </Button>
          </div>
        </form>
      </Card>
    </>
  );
}
