import { useId } from 'preact/hooks';
import './choice.css';

type Option<Value extends string> = { readonly value: Value; readonly text: string; readonly lang?: string };

type ChoiceProps<Value extends string> = {
  readonly legend: string;
  readonly options: readonly Option<Value>[];
  readonly chosen: Value;
  readonly onChoose: (value: Value) => void;
  /** The legend is for those who hear it only. */
  readonly bare?: boolean;
};

/** One of a few, all in sight: radio buttons in a row. */
export function Choice<Value extends string>({ legend, options, chosen, onChoose, bare = false }: ChoiceProps<Value>) {
  const name = useId();
  return (
    <fieldset class="choice" data-bare={bare || undefined}>
      <legend>{legend}</legend>
      <div class="choice-options">
        {options.map(({ value, text, lang }) => (
          <label key={value} class="choice-option" lang={lang}>
            <input type="radio" name={name} value={value} checked={value === chosen} onChange={() => onChoose(value)} />
            {text}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
