import { Notice } from '../parts/notice';
import { Countdown } from '../live/countdown';
import type { Form } from './form';

/** What is wrong with the form as a whole. */
export function FormHead({ form }: { readonly form: Form }) {
  const trouble = form.trouble.value;
  if (trouble === null) return null;
  return (
    <Notice kind="bad">
      <p>{trouble.sentence}</p>
      {trouble.retryAt !== null && <Countdown to={trouble.retryAt} />}
    </Notice>
  );
}
