import { describe, expect, it } from 'vitest';
import { CAPABILITIES, gate, MAX_MESSAGE } from './checks';

describe('a page carries out', () => {
  it.each([
    ['status', {}],
    ['display', { message: '주문 17' }],
    ['display', { message: 'x'.repeat(MAX_MESSAGE), display_index: 0 }],
    ['restart_agent', {}],
    ['restart_agent', { delay_s: 0 }],
  ])('%s %j', (action, payload) => {
    expect(gate(action, payload)).toBeNull();
    expect(CAPABILITIES).toContain(action);
  });

  it.each([
    ['print', {}, 'unsupported_action'],
    ['toString', {}, 'unsupported_action'],
    ['display', {}, 'payload_invalid'],
    ['display', { message: ' ' }, 'payload_invalid'],
    ['display', { message: 17 }, 'payload_invalid'],
    ['display', { message: 'x'.repeat(MAX_MESSAGE + 1) }, 'payload_invalid'],
    ['display', { message: 'x', display_index: 1 }, 'payload_invalid'],
    ['display', { message: 'x', url: 'https://elsewhere' }, 'payload_invalid'],
    ['restart_agent', { delay_s: -1 }, 'payload_invalid'],
    ['restart_agent', { delay_s: '3' }, 'payload_invalid'],
  ])('no %s %j: %s', (action, payload, code) => {
    expect(gate(action, payload)?.code).toBe(code);
  });
});
