import { useEffect, useRef } from 'preact/hooks';
import { leave, type Who } from '@api/session';
import { go } from '@ui/page/router';
import { Button } from '@ui/parts/button';
import { say } from '@ui/texts/language';
import { SignInForm } from './sign-in-form';
import { texts } from './texts';
import './access.css';

/** Over the page of a person whose session ended, which stays as it is below. */
export function SignInAgain({ who }: { readonly who: Who }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // It would give the focus to the name, which is there already.
    [...(element?.querySelectorAll('input') ?? [])].find((input) => input.value === '')?.focus();
  }, []);
  return (
    <dialog class="again" ref={dialog} aria-labelledby="again-title" onCancel={(event) => event.preventDefault()}>
      <h2 id="again-title">{say(texts.again)}</h2>
      <p class="soft">{say(texts.sessionEnded)}</p>
      <SignInForm login={who.login ?? ''} />
      <Button wide kind="quiet" onPress={() => leave(() => go('/login', { replace: true }))}>
        {say(texts.asSomebodyElse)}
      </Button>
    </dialog>
  );
}
