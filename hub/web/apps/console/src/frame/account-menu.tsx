import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { signOut, type Who } from '@api/session';
import type { Problem } from '@api/problem';
import { go, path } from '@ui/page/router';
import { Button } from '@ui/parts/button';
import { LanguageChoice, ThemeChoice } from '@ui/parts/preferences';
import { say } from '@ui/texts/language';
import { texts as ofAccess } from '../access/manifest';
import { ProblemNotice } from './problem-notice';
import { texts } from './texts';

const LINKS = [
  { path: '/me/sessions', text: ofAccess.sessions },
  { path: '/me/password', text: ofAccess.password },
];

/** Who is signed in, with what belongs to a person: sessions, password, language, appearance, sign out. */
export function AccountMenu({ who }: { readonly who: Who }) {
  const isOpen = useSignal(false);
  const isPending = useSignal(false);
  const problem = useSignal<Problem | null>(null);
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    const closeOutside = (event: Event): void => {
      if (event.target instanceof Node && place.current?.contains(event.target) === false) isOpen.value = false;
    };
    document.addEventListener('pointerdown', closeOutside);
    document.addEventListener('focusin', closeOutside);
    return () => {
      document.removeEventListener('pointerdown', closeOutside);
      document.removeEventListener('focusin', closeOutside);
    };
  }, [isOpen]);

  const closeByKey = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || !isOpen.value) return;
    isOpen.value = false;
    button.current?.focus();
  };

  const leave = async (): Promise<void> => {
    isPending.value = true;
    const answer = await signOut(() => go('/login', { replace: true }));
    isPending.value = false;
    problem.value = answer.ok ? null : answer.problem;
  };

  return (
    <div class="account" ref={place} onKeyDown={closeByKey} role="presentation">
      <button class="account-button" ref={button} type="button" aria-expanded={isOpen} aria-controls="account-panel" aria-label={`${say(texts.account)}: ${who.name}`} onClick={() => (isOpen.value = !isOpen.value)}>
        <span class="account-initial" data-initial={[...who.name][0]?.toUpperCase()} />
        <span class="account-name">{who.name}</span>
        <svg viewBox="0 0 24 24" width="16" height="16" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
          <path d="M6 9.5l6 6 6-6" />
        </svg>
      </button>
      <div class="account-panel" id="account-panel" hidden={!isOpen.value}>
        <p class="account-who">
          <strong>{who.name}</strong>
          <span class="soft">{who.login}</span>
        </p>
        <ul class="account-links" role="list">
          {LINKS.map((link) => (
            <li key={link.path}>
              <a href={link.path} aria-current={path.value === link.path ? 'page' : undefined} onClick={() => (isOpen.value = false)}>
                {say(link.text)}
              </a>
            </li>
          ))}
        </ul>
        <div class="account-choices">
          <LanguageChoice />
          <ThemeChoice />
        </div>
        {problem.value !== null && <ProblemNotice problem={problem.value} />}
        <Button wide pending={isPending.value} onPress={() => void leave()}>
          {say(texts.signOut)}
        </Button>
      </div>
    </div>
  );
}
