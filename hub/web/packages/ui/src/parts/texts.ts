export const texts = {
  language: { ko: '언어', en: 'Language' },
  theme: { ko: '화면 모드', en: 'Appearance' },
  themes: {
    system: { ko: '시스템', en: 'System' },
    light: { ko: '밝게', en: 'Light' },
    dark: { ko: '어둡게', en: 'Dark' },
  },
};
