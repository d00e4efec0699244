import type { ComponentChildren } from 'preact';
import type { Described, Pairing } from '@api/pairing';
import { CopyLine } from '@ui/parts/copy-line';
import { Facts, type Fact } from '@ui/parts/card';
import { Notice } from '@ui/parts/notice';
import { Time } from '@ui/parts/time';
import { say, type Text } from '@ui/texts/language';
import { canBeBrowser } from './connect';
import { ConnectHere } from './connect-here';
import { commandOf, grouped, type WholeLink } from './link';
import { texts } from './texts';
import './clients.css';

type FoundProps = Pick<Described, 'pairing' | 'hub'> & { readonly link: WholeLink };

/** A code that a machine can use: which machine, which hub, and what to do. A machine that is no browser gets a command. */
export function Found({ pairing, hub, link }: FoundProps) {
  const isOtherHub = link.fingerprint !== '' && link.fingerprint !== hub.fingerprint;
  const isOtherClient = link.screenId !== '' && link.screenId.toLowerCase() !== pairing.client_id;
  return (
    <>
      {isOtherClient && (
        <Notice kind="bad">
          <p>{say(texts.otherClient, link.screenId.slice(0, 63))}</p>
        </Notice>
      )}
      <Part title={say(texts.machine)}>
        <Facts facts={factsOf(pairing)} />
        {pairing.replaces && (
          <Notice kind="plain">
            <p>{say(texts.replaces)}</p>
          </Notice>
        )}
      </Part>
      <Part title={say(texts.hub)}>
        <Facts
          facts={[
            [say(texts.address), hub.hub_url],
            [say(texts.authority), hub.fingerprint === null ? say(texts.trusted) : grouped(hub.fingerprint)],
            ...(isOtherHub ? [[say(texts.ofLink), grouped(link.fingerprint.slice(0, 100))] as const] : []),
          ]}
        />
        {isOtherHub && (
          <Notice kind="bad">
            <p>{say(texts.otherHub)}</p>
          </Notice>
        )}
      </Part>
      {!isOtherHub && canBeBrowser(pairing.kind) && (
        <>
          <Part title={say(texts.thisBrowser)}>
            <ConnectHere credential={link.credential} pairing={pairing} />
          </Part>
          <details class="pair" open={pairing.kind === null}>
            <summary>{say(texts.byAgent)}</summary>
            <ByAgent pairing={pairing} hub={hub} link={link} />
          </details>
        </>
      )}
      {!isOtherHub && !canBeBrowser(pairing.kind) && (
        <Part title={say(texts.toDo)}>
          <ByAgent pairing={pairing} hub={hub} link={link} />
        </Part>
      )}
      <p class="soft">{say(canBeBrowser(pairing.kind) && !isOtherHub ? texts.untilTap : texts.notHere)}</p>
    </>
  );
}

/** What a person runs on a machine that has the agent. */
function ByAgent({ pairing, hub, link }: FoundProps) {
  return (
    <>
      <ol class="pair-steps">
        <li>{say(texts.install)}</li>
        <li>{say(texts.run)}</li>
      </ol>
      <CopyLine text={commandOf({ ...link, hubUrl: hub.hub_url, clientId: pairing.client_id })} button={say(texts.copy)} />
      <p class="soft">{say(texts.where)}</p>
      {hub.fingerprint !== null && link.fingerprint === '' && <p>{say(texts.numbers)}</p>}
      <p class="soft">{say(texts.secret)}</p>
    </>
  );
}

function Part({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <section class="pair" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function factsOf(pairing: Pairing): readonly Fact[] {
  const name: readonly Fact[] = pairing.name === null ? [] : [[say(texts.name), pairing.name]];
  return [
    [say(texts.id), pairing.client_id],
    ...name,
    [say(texts.kind), kindOf(pairing.kind)],
    [say(texts.zone), pairing.zone ?? say(texts.none)],
    [say(texts.groups), pairing.groups.length === 0 ? say(texts.none) : pairing.groups.join(', ')],
    [say(texts.madeBy), pairing.created_by_name],
    [say(texts.until), <Time key="until" iso={pairing.expires_at} />],
  ];
}

function kindOf(kind: string | null): string {
  if (kind === null) return say(texts.anyKind);
  const known = (texts.kinds as Readonly<Record<string, Text | undefined>>)[kind];
  return known === undefined ? kind : say(known);
}
