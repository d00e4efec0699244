export const texts = {
  fillIn: { ko: '값을 입력하십시오.', en: 'Fill this in.' },
  show: { ko: '표시', en: 'Show' },
  hide: { ko: '숨기기', en: 'Hide' },
};
