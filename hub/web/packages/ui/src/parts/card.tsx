import type { ComponentChildren } from 'preact';
import './card.css';

type CardProps = { readonly title: string; readonly beside?: ComponentChildren; readonly children: ComponentChildren; readonly narrow?: boolean; readonly bare?: boolean };

/** What belongs together, under its heading; `beside` stands at the heading's end. `bare`: the page's own
 * heading says the same. */
export function Card({ title, beside, children, narrow = false, bare = false }: CardProps) {
  return (
    <section class="card" data-narrow={narrow || undefined} aria-label={title}>
      {!bare && (
        <div class="card-head">
          <h2>{title}</h2>
          {beside}
        </div>
      )}
      {children}
    </section>
  );
}

/** A short word about a state; the word says it, the colour repeats it. */
export function Badge({ kind, children }: { readonly kind: 'good' | 'accent'; readonly children: ComponentChildren }) {
  return (
    <span class="badge" data-kind={kind}>
      {children}
    </span>
  );
}

export type Fact = readonly [term: string, value: ComponentChildren];

/** Terms and their values. */
export function Facts({ facts }: { readonly facts: readonly Fact[] }) {
  return (
    <dl class="facts">
      {facts.map(([term, value]) => (
        <div class="fact" key={term}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
