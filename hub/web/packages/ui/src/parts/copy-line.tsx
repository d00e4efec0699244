import { useRef, useState } from 'preact/hooks';
import { announce } from '../live/announcer';
import { say } from '../texts/language';
import { Button } from './button';
import { texts } from './texts';
import './copy-line.css';

type CopyLineProps = { readonly text: string; readonly button: string };

/** A line for a terminal, with a button that copies it. Where the browser does not let pages copy, the line gets selected. */
export function CopyLine({ text, button }: CopyLineProps) {
  const line = useRef<HTMLElement>(null);
  const [told, setTold] = useState<string | null>(null);
  const copy = async (): Promise<void> => {
    let said = texts.copied;
    try {
      await navigator.clipboard.writeText(text); // no `clipboard` without TLS
    } catch {
      if (line.current !== null) getSelection()?.selectAllChildren(line.current);
      said = texts.notCopied;
    }
    setTold(say(said));
    announce(say(said));
  };
  return (
    <div class="copy-line">
      <pre class="copy-line-text">
        <code ref={line}>{text}</code>
      </pre>
      <div class="copy-line-foot">
        <Button kind="main" onPress={() => void copy()}>
          {button}
        </Button>
        {told !== null && <span aria-hidden="true">{told}</span>}
      </div>
    </div>
  );
}
