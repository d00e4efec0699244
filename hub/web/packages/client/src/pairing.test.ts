import { describe, expect, it } from 'vitest';
import { fromBase64url, tagged, utf8 } from './bytes';
import { claimOf, numberOf } from './pairing';

describe('the number of a link', () => {
  it('is what the hub says: tests/unit/schemas/test_pairing_contract.py has the same', async () => {
    expect(await numberOf('fhp_abc')).toBe('636802');
    expect(await numberOf(`fhp_${'x'.repeat(43)}`)).toBe('924883');
  });
});

describe('the proof of a browser', () => {
  it.each([
    [{ token: 'fhp_abc' }, 'token\nfhp_abc'],
    [{ code: ' 7kq4–m2xo ' }, 'code\n7KQ4M2X0'],
  ])('of %j is over what the hub compares', async (credential, first) => {
    const key = (await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as CryptoKeyPair;
    const claim = await claimOf(credential, key, 'root', Date.parse('2026-11-30T08:00:00.123Z'));
    const body = utf8(`${first}\nroot\n${claim.public_key}\n2026-11-30T08:00:00.123Z\n`);
    const signature = fromBase64url(claim.proof) ?? new Uint8Array();
    expect(claim).toMatchObject({ ...credential, at: '2026-11-30T08:00:00.123Z' });
    expect(await crypto.subtle.verify('Ed25519', key.publicKey, signature, tagged('floorhub/pair/v1', body))).toBe(true);
    await expect(crypto.subtle.exportKey('pkcs8', key.privateKey)).rejects.toThrow('extractable');
  });
});
