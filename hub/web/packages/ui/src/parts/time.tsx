import { dateTime } from '../texts/formats';

/** A moment, as day and time unless `text` says it otherwise; the exact one is at hand. */
export function Time({ iso, text }: { readonly iso: string; readonly text?: string }) {
  return (
    <time dateTime={iso} title={dateTime(iso)}>
      {text ?? dateTime(iso)}
    </time>
  );
}
