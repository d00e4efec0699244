import type { ComponentChildren } from 'preact';
import './notice.css';

export type NoticeKind = 'good' | 'bad' | 'plain';

/** The sign says the kind to those who do not see its colour. */
const SIGNS: Readonly<Record<NoticeKind, string>> = {
  good: 'M5 12.5l4.5 4.5L19 7.5',
  bad: 'M12 6.5v7M12 17.4v.2',
  plain: 'M12 11v6.5M12 7v.2',
};

type NoticeProps = { readonly kind: NoticeKind; readonly children: ComponentChildren };

/** A sentence that stays where it is about. `bad` is read out at once. */
export function Notice({ kind, children }: NoticeProps) {
  return (
    <div class="notice" data-kind={kind} role={kind === 'bad' ? 'alert' : undefined}>
      <svg class="notice-sign" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
        {kind !== 'good' && <circle cx="12" cy="12" r="10" stroke-width="1.8" />}
        <path d={SIGNS[kind]} />
      </svg>
      <div class="notice-body">{children}</div>
    </div>
  );
}
