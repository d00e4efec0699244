/** A form's life: values stay in the inputs, also after a failure; the hub judges, and its words land at its fields. */

import { batch, signal, type ReadonlySignal } from '@preact/signals';
import { say } from '../texts/language';
import { texts } from './texts';

/** What a form shows of something that went wrong; the caller makes it of what it got. */
export type Trouble = {
  readonly fields: readonly { readonly field: string; readonly message: string }[];
  /** The sentence for the form's head; empty when each problem stands at its field. */
  readonly sentence: string;
  /** When to try again, in milliseconds since 1970. */
  readonly retryAt: number | null;
};

export type Values = Readonly<Record<string, string>>;

export type Form = {
  /** Sentences by field. */
  readonly problems: ReadonlySignal<Values>;
  /** What the form's head says. */
  readonly trouble: ReadonlySignal<Pick<Trouble, 'sentence' | 'retryAt'> | null>;
  readonly isPending: ReadonlySignal<boolean>;
  readonly forget: (field: string) => void;
  readonly onSubmit: (event: SubmitEvent) => void;
};

/** A form; `send` gets the values and says what went wrong, or null. */
export function makeForm(send: (values: Values, element: HTMLFormElement) => Promise<Trouble | null>): Form {
  const problems = signal<Values>({});
  const trouble = signal<Pick<Trouble, 'sentence' | 'retryAt'> | null>(null);
  const isPending = signal(false);

  const show = (found: Trouble, element: HTMLFormElement): void => {
    const [atFields, elsewhere] = placed(found, namesOf(element));
    batch(() => {
      problems.value = atFields;
      trouble.value = elsewhere === '' ? null : { sentence: elsewhere, retryAt: found.retryAt };
    });
    requestAnimationFrame(() => element.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
  };

  const submit = async (element: HTMLFormElement): Promise<void> => {
    const missing = missingOf(element);
    if (missing.length > 0) {
      show({ fields: missing.map((field) => ({ field, message: say(texts.fillIn) })), sentence: '', retryAt: null }, element);
      return;
    }
    batch(() => {
      isPending.value = true;
      problems.value = {};
      trouble.value = null;
    });
    try {
      const found = await send(valuesOf(element), element);
      if (found !== null) show(found, element);
    } finally {
      isPending.value = false;
    }
  };

  return {
    problems,
    trouble,
    isPending,
    forget: (field) => {
      const { [field]: gone, ...others } = problems.value;
      if (gone !== undefined) problems.value = others;
    },
    onSubmit: (event) => {
      event.preventDefault();
      if (!isPending.value && event.currentTarget instanceof HTMLFormElement) void submit(event.currentTarget);
    },
  };
}

/** The sentences of the fields that the form has, and the head's: what belongs to no field of it must not get lost. */
export function placed(trouble: Trouble, names: readonly string[]): readonly [Values, string] {
  const atFields: Record<string, string> = {};
  const elsewhere: string[] = [];
  for (const { field, message } of trouble.fields) {
    const name = names.find((each) => each === field || field.startsWith(`${each}.`));
    if (name === undefined) elsewhere.push(`${field}: ${message}`);
    else atFields[name] = atFields[name] === undefined ? message : `${atFields[name]} ${message}`;
  }
  const isAllAtFields = trouble.fields.length > 0 && elsewhere.length === 0;
  return [atFields, isAllAtFields ? '' : [trouble.sentence, ...elsewhere].filter((text) => text !== '').join(' ')];
}

const inputsOf = (element: HTMLFormElement): HTMLInputElement[] =>
  [...element.elements].filter((each) => each instanceof HTMLInputElement).filter((each) => each.name !== '');

const namesOf = (element: HTMLFormElement): string[] => inputsOf(element).map((input) => input.name);

const missingOf = (element: HTMLFormElement): string[] =>
  inputsOf(element)
    .filter((input) => input.required && input.value === '')
    .map((input) => input.name);

const valuesOf = (element: HTMLFormElement): Values => Object.fromEntries(inputsOf(element).map((input) => [input.name, input.value]));
