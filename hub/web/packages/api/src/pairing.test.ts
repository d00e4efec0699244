import { afterEach, describe, expect, it, vi } from 'vitest';
import { askAbout } from './pairing';

const HUB = { hub_url: 'https://hub.local:8443', fingerprint: null, time: '2026-11-30T08:00:00Z' };
const PAIRING = { client_id: 'press-7', expires_at: '2026-11-30T08:10:00Z' };

const answering = (pairing: () => Response, hub: () => Response) => {
  const sent = vi.fn<(url: string, request: RequestInit) => Promise<Response>>(async (url) => (url === '/api/pair/hub' ? hub() : pairing()));
  vi.stubGlobal('fetch', sent);
  return sent;
};

describe('a code', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('is sent in the body alone, and its time left is by the hub’s clock', async () => {
    const sent = answering(() => Response.json(PAIRING), () => Response.json(HUB));
    expect(await askAbout({ token: 'fhp_secret' })).toMatchObject({ ok: true, data: { pairing: PAIRING, hub: HUB, msLeft: 600_000 } });
    expect(sent.mock.calls.map(([url]) => url).toSorted()).toEqual(['/api/pair/hub', '/api/pair/look']);
    expect(sent.mock.calls.map(([, request]) => request.body).filter((body) => body !== undefined)).toEqual(['{"token":"fhp_secret"}']);
  });

  it('that the hub refuses is told by the hub’s own sentence', async () => {
    answering(() => Response.json({ code: 'pairing_used', detail: 'Used.' }, { status: 409 }), () => Response.json(HUB));
    expect(await askAbout({ code: '7KQ4-M2XD' })).toMatchObject({ ok: false, problem: { code: 'pairing_used', detail: 'Used.' } });
  });

  it('says nothing of a hub that cannot say which it is', async () => {
    answering(() => Response.json(PAIRING), () => Response.json({ code: 'authority_unreadable', detail: 'Away.' }, { status: 503 }));
    expect(await askAbout({ code: '7KQ4-M2XD' })).toMatchObject({ ok: false, problem: { code: 'authority_unreadable' } });
  });
});
