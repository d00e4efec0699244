import type { ComponentChildren } from 'preact';
import './button.css';

type ButtonProps = {
  readonly children: ComponentChildren;
  readonly kind?: 'main' | 'plain' | 'quiet';
  readonly submit?: boolean;
  readonly wide?: boolean;
  /** Under way: it stays where it is, keeps the focus, and does nothing. */
  readonly pending?: boolean;
  /** What it is about, for those who hear it without what stands around. */
  readonly label?: string;
  readonly onPress?: () => void;
};

export function Button({ children, kind = 'plain', submit = false, wide = false, pending = false, label, onPress }: ButtonProps) {
  return (
    <button
      class="button"
      type={submit ? 'submit' : 'button'}
      data-kind={kind}
      data-wide={wide || undefined}
      aria-disabled={pending}
      aria-label={label}
      onClick={(event) => {
        if (pending) event.preventDefault();
        else onPress?.();
      }}
    >
      {pending && <span class="button-turning" aria-hidden="true" />}
      {children}
    </button>
  );
}
