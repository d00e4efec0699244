import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { firstAdministratorIsOpen } from '@api/session';
import { Notice } from '@ui/parts/notice';
import { say } from '@ui/texts/language';
import { SignInForm } from './sign-in-form';
import { texts } from './texts';

/** Sign in; a hub without any administrator says how to get the first one. */
export function Login() {
  const isNew = useSignal(false);
  useEffect(() => {
    const look = async (): Promise<void> => {
      const answer = await firstAdministratorIsOpen();
      isNew.value = answer.ok && answer.data.open;
    };
    void look();
  }, [isNew]);
  return (
    <>
      {isNew.value && (
        <Notice kind="plain">
          <p>
            <strong>{say(texts.nobodyYet)}</strong> {say(texts.howToFirst)}
          </p>
          <code>floorhub user add LOGIN --role admin</code>
        </Notice>
      )}
      <SignInForm />
      <p class="soft">
        <small>{say(texts.forgotten)}</small>
      </p>
    </>
  );
}
