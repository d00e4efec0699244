import { useSignal, type Signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

/** The token of a link, which stands after `#` so that no server and no log sees it; taken out of the address bar. */
function take(): string {
  const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
  if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search);
  return token;
}

/** The token of the link that opened this page; empty without one. */
export function useLinkToken(): Signal<string> {
  const token = useSignal('');
  useEffect(() => {
    const look = (): void => {
      token.value = take() || token.value;
    };
    look();
    // The link may be opened in a tab that shows this page already.
    addEventListener('hashchange', look);
    return () => removeEventListener('hashchange', look);
  }, [token]);
  return token;
}
