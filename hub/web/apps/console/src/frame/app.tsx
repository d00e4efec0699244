import { useEffect } from 'preact/hooks';
import { askWho, signIn } from '@api/session';
import { Announcer } from '@ui/live/announcer';
import { Heading } from '@ui/page/heading';
import { path } from '@ui/page/router';
import { say } from '@ui/texts/language';
import { SignInAgain } from '../access/manifest';
import { pageAt } from '../pages';
import { Inside } from './inside';
import { Outside } from './outside';
import type { Page } from './page';
import { ProblemNotice } from './problem-notice';
import { texts } from './texts';

/** Everything that is drawn. */
export function App() {
  const state = signIn.value;
  const page = pageAt(path.value);

  useEffect(() => {
    document.title = `${say(page?.title ?? texts.notFound)} - Floorhub`;
  });

  return (
    <>
      <Announcer />
      <Place page={page} />
      {state.state === 'ended' && <SignInAgain who={state.who} />}
    </>
  );
}

function Place({ page }: { readonly page: Page | undefined }) {
  const state = signIn.value;
  if (state.state === 'asking') {
    return (
      <p class="waiting" role="status">
        {say(texts.asking)}
      </p>
    );
  }
  if (state.state === 'failed') {
    return (
      <Outside title={say(texts.noHub)}>
        <ProblemNotice problem={state.problem} onTryAgain={() => void askWho()} />
      </Outside>
    );
  }
  if (page !== undefined && page.audience !== 'signed-in') {
    return (
      <Outside key={page.path} title={say(page.title)}>
        <page.view />
      </Outside>
    );
  }
  if (state.state === 'out') {
    return page === undefined ? (
      <Outside title={say(texts.notFound)}>
        <p>
          <a href="/">{say(texts.toHome)}</a>
        </p>
      </Outside>
    ) : null; // on the way to the sign-in page
  }
  return (
    <Inside who={state.who} key={page?.path}>
      <Heading>{page?.heading?.(state.who) ?? say(page?.title ?? texts.notFound)}</Heading>
      {page === undefined ? (
        <p>
          <a href="/">{say(texts.toHome)}</a>
        </p>
      ) : (
        <page.view />
      )}
    </Inside>
  );
}
