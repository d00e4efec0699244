import { useEffect, useState } from 'preact/hooks';
import { timeOfDay } from '../texts/formats';
import { say, type Text } from '../texts/language';

const texts = {
  at: { ko: (time: string) => `${time}부터 다시 시도할 수 있습니다.`, en: (time: string) => `You can try again at ${time}.` },
  left: {
    ko: (seconds: number) => (seconds >= 60 ? `${Math.ceil(seconds / 60)}분 남았습니다.` : `${seconds}초 남았습니다.`),
    en: (seconds: number) => (seconds >= 60 ? `${Math.ceil(seconds / 60)} min left.` : `${seconds} s left.`),
  },
  now: { ko: '이제 다시 시도하십시오.', en: 'Try again now.' },
} satisfies Record<string, Text | Text<[string]> | Text<[number]>>;

/** When to try again, and how long that is; the seconds are not read out one by one. */
export function Countdown({ to }: { readonly to: number }) {
  const [now, setNow] = useState(() => Date.now());
  const left = Math.ceil((to - now) / 1000);
  const isOver = left <= 0;
  useEffect(() => {
    if (isOver) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isOver]);
  if (isOver) return <p>{say(texts.now)}</p>;
  return (
    <p>
      {say(texts.at, timeOfDay(to))} <span aria-hidden="true">{say(texts.left, left)}</span>
    </p>
  );
}
