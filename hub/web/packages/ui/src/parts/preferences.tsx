import { choose, language, say, LANGUAGES } from '../texts/language';
import { chooseTheme, theme, THEMES } from '../theme';
import { texts } from './texts';
import { Choice } from './choice';

const NAMES = { ko: '한국어', en: 'English' } as const;

export function LanguageChoice({ bare = false }: { readonly bare?: boolean }) {
  const options = LANGUAGES.map((value) => ({ value, text: NAMES[value], lang: value }));
  return <Choice legend={say(texts.language)} options={options} chosen={language.value} onChoose={choose} bare={bare} />;
}

export function ThemeChoice({ bare = false }: { readonly bare?: boolean }) {
  const options = THEMES.map((value) => ({ value, text: say(texts.themes[value]) }));
  return <Choice legend={say(texts.theme)} options={options} chosen={theme.value} onChoose={chooseTheme} bare={bare} />;
}
