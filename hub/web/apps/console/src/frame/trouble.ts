import { isLocal, type Problem, type Result } from '@api/problem';
import type { Trouble } from '@ui/form/form';
import { withLocalTimes } from '@ui/texts/formats';
import { say } from '@ui/texts/language';
import { texts } from './texts';

/** The sentence of a problem: the hub's own, unless it never got there. */
export const sentenceOf = (problem: Problem): string => (isLocal(problem) ? say(texts[problem.code]) : withLocalTimes(problem.detail));

/** A problem as a form shows it. */
export const troubleOf = (problem: Problem): Trouble => ({
  fields: problem.fields,
  sentence: sentenceOf(problem),
  retryAt: problem.retryAt,
});

/** What a form shows of a result; null when it went well. Of a session that ended the frame tells. */
export const troubleIn = (result: Result<unknown>): Trouble | null => {
  if (result.ok) return null;
  return result.problem.code === 'unauthorized' ? { fields: [], sentence: '', retryAt: null } : troubleOf(result.problem);
};

/** One sentence at one field. */
export const at = (field: string, message: string): Trouble => ({ fields: [{ field, message }], sentence: '', retryAt: null });
