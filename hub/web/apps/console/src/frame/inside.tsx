import type { ComponentChildren } from 'preact';
import type { Who } from '@api/session';
import { path } from '@ui/page/router';
import { say } from '@ui/texts/language';
import { AccountMenu } from './account-menu';
import { Brand } from './brand';
import { texts } from './texts';
import './frame.css';

type InsideProps = { readonly who: Who; readonly children: ComponentChildren };

/** The frame of pages for those who are signed in. */
export function Inside({ who, children }: InsideProps) {
  return (
    <>
      <a class="skip button" href="#content">
        {say(texts.skip)}
      </a>
      <header class="top">
        <div class="top-row">
          <a class="top-brand" href="/" aria-label={`Floorhub: ${say(texts.home)}`}>
            <Brand />
          </a>
          <nav class="top-nav" aria-label={say(texts.navigation)}>
            <a href="/" aria-current={path.value === '/' ? 'page' : undefined}>
              {say(texts.home)}
            </a>
            <a href="/docs">{say(texts.apiReference)}</a>
          </nav>
          <AccountMenu who={who} />
        </div>
      </header>
      <main class="content" id="content" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}
