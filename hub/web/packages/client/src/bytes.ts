/** Bytes as the contract writes them in text. */

export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export const utf8 = (text: string): Bytes => encoder.encode(text);

/** The text of UTF-8 bytes; throws TypeError for what is none. */
export const textOf = (bytes: Uint8Array): string => decoder.decode(bytes);

/** Base64url without padding. */
export function base64url(bytes: Uint8Array): string {
  const binary = Array.from(bytes, (byte) => String.fromCodePoint(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** The bytes of base64url without padding; null for what is none. */
export function fromBase64url(text: string): Bytes | null {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return null;
  try {
    return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.codePointAt(0) ?? 0);
  } catch {
    return null;
  }
}

/** A domain tag, a NUL byte, and what is signed: see `schemas/signing.py`. */
export function tagged(tag: string, body: Uint8Array): Bytes {
  const head = utf8(`${tag}\0`);
  const whole = new Uint8Array(head.length + body.length);
  whole.set(head);
  whole.set(body, head.length);
  return whole;
}

/** Text that JSON, Postgres and people can hold: no half characters, no NUL. */
export const cleaned = (text: string): string => text.replace(/\p{Surrogate}/gu, '\uFFFD').replaceAll('\0', '');
