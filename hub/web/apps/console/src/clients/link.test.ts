import { describe, expect, it } from 'vitest';
import { commandOf, grouped, readLink } from './link';

const FP = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const CLIENT = { hubUrl: 'https://hub.local:8443', clientId: 'press-7', fingerprint: '' };

describe('an address', () => {
  it('gives what the link was made of', () => {
    expect(readLink({ search: '?screenId=press-7', hash: `#token=fhp_abc&fp=${FP}` })).toEqual({
      credential: { token: 'fhp_abc' },
      screenId: 'press-7',
      fingerprint: FP,
    });
  });

  it.each([
    ['', '', null],
    ['?token=fhp_abc&code=7KQ4M2XD', '', null], // what every server on the way has seen is no secret
    ['', '#token=&code=', null],
    ['', '#code=7kq4-m2xd', { code: '7kq4-m2xd' }],
    ['', '#token=fhp_abc&code=7KQ4M2XD', { token: 'fhp_abc' }],
    ['', '#fhp_abc', null],
  ])('%s%s has the credential %j', (search, hash, credential) => {
    expect(readLink({ search, hash }).credential).toEqual(credential);
  });

  it.each(['abcd-efgh-ijkl-mnop-qrst-uvwx-yz', 'ABCD EFGH IJKL MNOP QRST UVWX YZ', 'ＡＢＣＤ－ＥＦＧＨ－ＩＪＫＬ－ＭＮＯＰ－ＱＲＳＴ－ＵＶＷＸ－ＹＺ'])(
    'has the same fingerprint however it is written: %s',
    (fp) => {
      expect(readLink({ search: '', hash: `#${new URLSearchParams({ fp })}` }).fingerprint).toBe(FP);
    },
  );
});

describe('a fingerprint', () => {
  it.each([
    [FP, 'ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ'],
    ['ABCD', 'ABCD'],
    ['', ''],
  ])('%s is shown as %s', (text, shown) => {
    expect(grouped(text)).toBe(shown);
  });
});

describe('the command', () => {
  it('has the link again', () => {
    expect(commandOf({ ...CLIENT, credential: { token: 'fhp_abc' }, fingerprint: FP })).toBe(
      `floorhub-agent pair 'https://hub.local:8443/pair?screenId=press-7#token=fhp_abc&fp=${FP}'`,
    );
  });

  it('has a code as it is compared, and no fingerprint that the link did not have', () => {
    expect(commandOf({ ...CLIENT, credential: { code: '7kq4 – m2xd' } })).toBe(
      "floorhub-agent pair 'https://hub.local:8443/pair?screenId=press-7#code=7KQ4M2XD'",
    );
  });

  it('is one word to a shell, whatever somebody made a link of', () => {
    const hostile = "'; rm -rf ~ #\n$(reboot)`reboot`";
    const command = commandOf({ hubUrl: `https://hub.local/${hostile}`, clientId: hostile, credential: { token: hostile }, fingerprint: hostile });
    const word = command.replace('floorhub-agent pair ', '').replaceAll(String.raw`'\''`, '');
    expect(word).toMatch(/^'[^']*'$/);
  });
});
