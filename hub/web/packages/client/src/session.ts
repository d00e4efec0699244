/** The connection to the broker through the edge, and the only module that imports an MQTT library. Each connection is a
 * new client of it, for its will names the connection; the session is clean: what matters comes again from the hub or the
 * journal. */

import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { inboxes, topicOf, type Inbox } from './contract';
import type { Publish } from './core/steps';

const KEEPALIVE_S = 12;
/** How long the broker may take for CONNACK, SUBACK and PUBACK. */
const ANSWER_MS = 10_000;
const GOODBYE_MS = 1_000;
const RECONNECT_MS = [500, 5_000] as const;
/** A broker that refuses us will do so again: at most so often, and ever more rarely. */
const REFUSED_MS = [5_000, 120_000] as const;
const MAX_WAITING = 1_000;
/** Reason codes of MQTT 5 with which a broker does not take a client: its id, its secret, not authorized, banned. */
const REFUSED: ReadonlySet<number> = new Set([0x85, 0x86, 0x87, 0x8a]);

export type Ended = { readonly because: 'lost' | 'refused'; readonly retryAfter: number };
export type Ports = {
  readonly onConnected: (connection: number) => Promise<void>;
  readonly onMessage: (inbox: Inbox, payload: Uint8Array, isRetained: boolean) => void;
  readonly onEnded: (ended: Ended, wasConnected: boolean) => Promise<void>;
  readonly onPublished: (token: number) => void;
  readonly will: (connection: number) => string;
  readonly goodbye: (reason: 'asleep' | null) => string;
  readonly random: () => number;
};
export type Endpoint = { readonly url: string; readonly clientId: string; readonly secret: string };

export class Session {
  private readonly endpoint: Endpoint;
  private readonly ports: Ports;
  private client: MqttClient | null = null;
  private isConnected = false;
  private isAsleep = false;
  private isOver = false;
  private refusals = 0;
  private number = 0;
  private away: number | null = null;
  private wake: () => void = () => undefined;

  constructor(endpoint: Endpoint, ports: Ports) {
    this.endpoint = endpoint;
    this.ports = ports;
  }

  /** Connect again and again until `stop`. Never throws for what a network or a broker can do. */
  async run(): Promise<void> {
    while (!this.isOver) {
      // One connection after the other is what this is about.
      /* oxlint-disable no-await-in-loop */
      if (this.isAsleep) {
        await new Promise<void>((resolve) => (this.wake = resolve));
        continue;
      }
      this.number += 1;
      const because = await this.connection(this.number);
      const wasConnected = this.isConnected;
      this.isConnected = false;
      this.refusals = because === 'refused' ? this.refusals + 1 : 0;
      const retryAfter = this.away ?? this.delay();
      this.away = null;
      await this.ports.onEnded({ because, retryAfter }, wasConnected);
      if (!this.isAsleep && !this.isOver) await this.pause(retryAfter);
      /* oxlint-enable no-await-in-loop */
    }
  }

  /** Send, in order. Without a connection it is dropped: the core knows, and says it again. */
  send({ channel, body, retain, token }: Publish): void {
    const { client } = this;
    if (client === null || !this.isConnected) return;
    if (client.queue.length > MAX_WAITING) return;
    const told = (): void => {
      if (token !== null) this.ports.onPublished(token);
    };
    // What is not confirmed in time is unknown, not failed: only the receipt counts.
    const timer = setTimeout(told, ANSWER_MS);
    client.publish(topicOf(this.endpoint.clientId, channel), body, { qos: channel === 'heartbeat' ? 0 : 1, retain }, () => {
      clearTimeout(timer);
      told();
    });
  }

  /** Publish a description of this page, retained. */
  describe(body: string): void {
    this.send({ is: 'publish', channel: 'state', body, retain: true, token: null });
  }

  /** Say good-bye, and come back after so many milliseconds. */
  leave(retryAfter: number): void {
    if (!this.isConnected) return;
    this.away = retryAfter;
    void this.goodbye(null);
  }

  /** Say good-bye, and connect no more until `resume`. `asleep`: the browser is about to stop this page. */
  sleep(reason: 'asleep' | null): void {
    if (this.isAsleep) return;
    this.isAsleep = true;
    void this.goodbye(reason);
  }

  /** Go on at once, whatever was waited for. */
  resume(): void {
    this.isAsleep = false;
    this.wake();
  }

  /** End the connection without a word: nobody knows whether it still stands. */
  cut(): void {
    this.client?.end(true);
  }

  /** End it for good, with a good-bye or without: nothing connects any more, whatever is still waited for. Two of one client would take the broker
   * from each other for ever. */
  stop({ isPolite }: { readonly isPolite: boolean }): void {
    this.isOver = true;
    if (isPolite) void this.goodbye(null);
    else this.cut();
    this.wake();
  }

  private async goodbye(reason: 'asleep' | null): Promise<void> {
    const { client } = this;
    if (client === null) return;
    if (this.isConnected) {
      const said = client.publishAsync(topicOf(this.endpoint.clientId, 'presence'), this.ports.goodbye(reason), { qos: 1, retain: true });
      await Promise.race([said.catch(() => undefined), after(GOODBYE_MS)]);
    }
    await Promise.race([client.endAsync().catch(() => undefined), after(GOODBYE_MS)]);
    client.end(true);
  }

  private delay(): number {
    const { random } = this.ports;
    if (this.refusals === 0) return RECONNECT_MS[0] + random() * (RECONNECT_MS[1] - RECONNECT_MS[0]);
    const most = Math.min(REFUSED_MS[0] * 2 ** (this.refusals - 1), REFUSED_MS[1]);
    return most * (0.75 + 0.5 * random());
  }

  private async pause(delay: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, delay);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = () => undefined;
  }

  /** One connection from CONNECT to its end. */
  private connection(number: number): Promise<Ended['because']> {
    const { clientId, secret, url } = this.endpoint;
    const topics = inboxes(clientId);
    let because: Ended['because'] = 'lost';
    const options: IClientOptions = {
      protocolVersion: 5,
      clientId,
      username: clientId,
      password: secret,
      clean: true,
      keepalive: KEEPALIVE_S,
      connectTimeout: ANSWER_MS,
      reconnectPeriod: 0,
      queueQoSZero: false,
      timerVariant: 'native', // its own timers would be a worker of a blob: URL, which our policy forbids
      will: { topic: topicOf(clientId, 'presence'), payload: this.ports.will(number) as unknown as Buffer, qos: 1, retain: true },
    };
    return new Promise((resolve) => {
      const client = mqtt.connect(url, options);
      this.client = client;
      client.on('message', (topic, payload, { retain }) => {
        const inbox = topics.get(topic);
        if (inbox !== undefined) this.ports.onMessage(inbox, new Uint8Array(payload), retain);
      });
      client.on('error', (problem) => {
        const code = 'code' in problem ? Number(problem.code) : Number.NaN;
        if (REFUSED.has(code)) because = 'refused';
        client.end(true);
      });
      client.on('disconnect', ({ reasonCode }) => {
        if (REFUSED.has(reasonCode ?? 0)) because = 'refused';
      });
      client.on('connect', () => {
        void this.subscribed(client, [...topics.keys()], number);
      });
      client.on('close', () => {
        this.client = null;
        client.removeAllListeners();
        client.on('error', () => undefined);
        client.end(true);
        resolve(because);
      });
    });
  }

  private async subscribed(client: MqttClient, topics: string[], number: number): Promise<void> {
    const timer = setTimeout(() => client.end(true), ANSWER_MS);
    try {
      const granted = await client.subscribeAsync(topics, { qos: 1 });
      if (granted.some(({ qos }) => qos > 2)) throw new Error('the broker refuses a topic');
      this.isConnected = true;
      await this.ports.onConnected(number);
    } catch {
      client.end(true);
    } finally {
      clearTimeout(timer);
    }
  }
}

const after = (delay: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delay));
