import type { Problem } from '@api/problem';
import { Countdown } from '@ui/live/countdown';
import { Button } from '@ui/parts/button';
import { Notice } from '@ui/parts/notice';
import { say } from '@ui/texts/language';
import { sentenceOf } from './trouble';
import { texts } from './texts';

type ProblemNoticeProps = { readonly problem: Problem; readonly onTryAgain?: () => void };

/** A problem in place of what it is about, or beside the button that met it. */
export function ProblemNotice({ problem, onTryAgain }: ProblemNoticeProps) {
  return (
    <Notice kind="bad">
      <p>{sentenceOf(problem)}</p>
      {problem.retryAt !== null && <Countdown to={problem.retryAt} />}
      {onTryAgain !== undefined && <Button onPress={onTryAgain}>{say(texts.tryAgain)}</Button>}
    </Notice>
  );
}
