/** What this page does for each action. */

import type { Action } from '@client/page';
import { after, drawn } from './drawn';
import { shows, show } from './message';

/** The page's own state, as `status` reports it. A question has no effect, so it is simply asked again. */
const about = async (version: string) =>
  ({
    status: 'completed',
    data: {
      agent_version: version,
      uptime_s: Math.round(performance.now() / 100) / 10,
      visible: document.visibilityState === 'visible',
      display: { width: screen.width, height: screen.height, scale: devicePixelRatio },
      language: navigator.language,
      browser: navigator.userAgent.slice(0, 300),
    },
  }) as const;

export const actionsOf = (version: string): Readonly<Record<string, Action>> => ({
  status: { execute: () => about(version), evidence: () => about(version) },

  display: {
    async execute(payload, { effect, signal }) {
      if (signal.aborted) return { status: 'cancelled', message: 'it was stopped before anything was shown' };
      if (!show({ text: String(payload['message']), commandId: effect.commandId, clientId: effect.clientId })) {
        return { status: 'failed', code: 'not_kept', message: 'the browser does not keep the message, so it is not shown', isRetryable: true };
      }
      const isVisible = await drawn();
      const data = { display_index: 0, shown_at: new Date().toISOString(), visible: isVisible };
      return { status: 'completed', data, message: isVisible ? '' : 'the page is not visible now; it shows the message as soon as it is' };
    },
    async evidence(_, { effect }) {
      // What is shown is kept, and shown again after a reload.
      return shows(effect.commandId)
        ? { status: 'completed', data: { display_index: 0, after_reload: true } }
        : { status: 'failed', code: 'not_shown', message: 'the page was reloaded before it showed the message', isRetryable: true };
    },
  },

  restart_agent: {
    async execute({ delay_s: delay = 3 }, { signal }) {
      await after(Number(delay) * 1000, signal);
      if (signal.aborted) return { status: 'cancelled', message: 'it was stopped before the page was loaded again' };
      location.reload();
      return null;
    },
    async evidence() {
      return { status: 'completed', message: 'the page was loaded again' };
    },
  },
});
