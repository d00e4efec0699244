import { describe, expect, it } from 'vitest';
import { conclude, concludeEvidence, newId, reportOf, sizeOf } from './reporting';

const NAMED = { reportId: 'r', commandId: 'c', attempt: 1, at: 0 };

const of = (status: 'failed' | 'unknown' | 'cancelled') => conclude({ status, isRetryable: true, code: 'Not A Code' }, null, 0).error;

describe('a report', () => {
  it('fits, whatever an action said', () => {
    const round: Record<string, unknown> = {};
    round['self'] = round;
    const half = '\uD83D';
    for (const data of [{ text: 'x'.repeat(100_000) }, round, { text: `a\0${half}` }]) {
      const report = reportOf(NAMED, conclude({ status: 'completed', data, message: `m\0${half}` }, null, 1_500));
      expect(sizeOf(report)).toBeLessThan(64_000);
      expect(JSON.stringify(report)).not.toMatch(/\\u0000|\\ud83d/i);
      expect(report).toMatchObject({ status: 'completed', result: { duration_s: 1.5, message: 'm\uFFFD' } });
    }
  });

  it('has whole characters where a text is cut', () => {
    const { result } = conclude({ status: 'completed', message: `${'x'.repeat(7_999)}\u{1F600}` }, null, 0);
    expect(result?.message).toBe(`${'x'.repeat(7_999)}\uFFFD`);
  });

  it('may be tried again only when it failed without effect', () => {
    expect(of('failed')).toEqual({ code: 'failed', message: '', retryable: true });
    expect(of('unknown')?.retryable).toBe(false);
    expect(of('cancelled')?.retryable).toBe(false);
  });

  it('says what is not known', () => {
    expect(conclude(null, 'timed_out', 0)).toMatchObject({ status: 'unknown', error: { code: 'timed_out' } });
    expect(conclude(null, 'cancelled', 0)).toMatchObject({ status: 'unknown', error: { code: 'stopped' } });
    expect(concludeEvidence(null)).toMatchObject({ status: 'unknown', error: { code: 'interrupted' }, result: { data: { evidence: {} } } });
    expect(concludeEvidence({ status: 'completed' }).error).toBeUndefined();
  });

  it('has an id with its time', () => {
    const id = newId(Date.parse('2026-11-30T09:00:00Z'), () => 0.99);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(Date.parse('2026-11-30T09:00:00Z'));
  });
});
