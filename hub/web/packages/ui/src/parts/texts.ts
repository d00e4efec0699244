export const texts = {
  copied: { ko: '복사했습니다.', en: 'Copied.' },
  notCopied: {
    ko: '브라우저가 복사를 허용하지 않습니다. 선택된 줄을 직접 복사하십시오.',
    en: 'The browser does not let this page copy. The line is selected: copy it.',
  },
  language: { ko: '언어', en: 'Language' },
  theme: { ko: '화면 모드', en: 'Appearance' },
  themes: {
    system: { ko: '시스템', en: 'System' },
    light: { ko: '밝게', en: 'Light' },
    dark: { ko: '어둡게', en: 'Dark' },
  },
};
