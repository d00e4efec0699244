import { signIn, type Who } from '@api/session';
import { Badge, Card, Facts, type Fact } from '@ui/parts/card';
import { Time } from '@ui/parts/time';
import '@ui/parts/button.css';
import { say } from '@ui/texts/language';
import { texts as ofAccess } from '../access/manifest';
import { texts as ofFrame } from '../frame/texts';
import { permissions, texts } from './texts';
import './home.css';

/** Who one is, what one may do, and what there is to use. */
export function Home() {
  const state = signIn.value;
  return 'who' in state ? <Signed who={state.who} /> : null;
}

const known = <Key extends string, Value>(table: Readonly<Record<Key, Value>>, key: string): Value | undefined =>
  (table as Readonly<Record<string, Value | undefined>>)[key];

function Signed({ who }: { readonly who: Who }) {
  const role = known(ofFrame.roles, who.role);
  const reach = known(texts.reaches, who.reach);
  const may = who.permissions.flatMap((name) => known(permissions, name) ?? []);
  const facts: Fact[] = [
    [say(texts.login), who.login],
    [say(texts.role), <Badge key="role" kind="accent">{role === undefined ? who.role : say(role)}</Badge>],
    [say(texts.reach), reach === undefined ? who.reach : say(reach)],
  ];
  if (who.signInExpiresAt != null) facts.push([say(texts.until), <Time key="until" iso={who.signInExpiresAt} />]);
  return (
    <div class="home">
      <Card title={say(texts.you)}>
        <Facts facts={facts} />
        {may.length > 0 && (
          <div>
            <h3>{say(texts.mayDo)}</h3>
            <ul class="home-may">
              {may.map((text) => (
                <li key={text.en}>{say(text)}</li>
              ))}
            </ul>
          </div>
        )}
        <p class="home-links">
          <a class="button" href="/me/sessions">
            {say(ofAccess.sessions)}
          </a>
          <a class="button" href="/me/password">
            {say(ofAccess.password)}
          </a>
        </p>
      </Card>
      <Card title={say(texts.works)}>
        <p class="soft">{say(texts.aboutWorks)}</p>
        <div>
          <h3>
            <a href="/docs">{say(texts.api)}</a>
          </h3>
          <p class="soft">{say(texts.aboutApi)}</p>
        </div>
        <div>
          <h3>{say(texts.cli)}</h3>
          <p class="soft">{say(texts.aboutCli)}</p>
          <pre class="home-line">
            <code>floorhub --help</code>
          </pre>
        </div>
      </Card>
    </div>
  );
}
