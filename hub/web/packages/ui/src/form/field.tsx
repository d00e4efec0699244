import { useId, useState } from 'preact/hooks';
import { say } from '../texts/language';
import { texts } from './texts';
import type { Form } from './form';
import './field.css';

type FieldProps = {
  readonly form: Form;
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly type?: 'text' | 'password';
  readonly autocomplete: string;
  readonly optional?: boolean;
};

/** A labelled input; what is wrong with it stands below it, and is read with it. */
export function Field({ form, name, label, hint, type = 'text', autocomplete, optional = false }: FieldProps) {
  const id = useId();
  const [isShown, setShown] = useState(false);
  const problem = form.problems.value[name];
  const about = [hint === undefined ? '' : `${id}-hint`, problem === undefined ? '' : `${id}-problem`].join(' ').trim();
  const isSecret = type === 'password';
  return (
    <div class="field">
      <label class="field-label" for={id}>
        {label}
      </label>
      <div class="field-row">
        <input
          class="field-input"
          id={id}
          name={name}
          type={isSecret && !isShown ? 'password' : 'text'}
          data-secret={isSecret || undefined}
          data-optional={optional || undefined}
          autocomplete={autocomplete}
          autocapitalize="none"
          spellcheck={false}
          required={!optional}
          aria-invalid={problem !== undefined}
          aria-describedby={about === '' ? undefined : about}
          onInput={() => form.forget(name)}
        />
        {isSecret && (
          <button class="field-show" type="button" aria-pressed={isShown} aria-label={`${say(isShown ? texts.hide : texts.show)}: ${label}`} onClick={() => setShown(!isShown)}>
            {say(isShown ? texts.hide : texts.show)}
          </button>
        )}
      </div>
      {hint !== undefined && (
        <p class="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {problem !== undefined && (
        <p class="field-problem" id={`${id}-problem`}>
          {problem}
        </p>
      )}
    </div>
  );
}
