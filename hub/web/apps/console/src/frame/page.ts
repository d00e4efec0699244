import type { ComponentType } from 'preact';
import type { Who } from '@api/session';
import type { Text } from '@ui/texts/language';

/** What a subject's manifest declares of each of its pages. The hub knows the same paths: hub/features/web_pages. */
export type Page = {
  readonly path: string;
  readonly title: Text;
  /** The heading where it is not the title. */
  readonly heading?: (who: Who) => string;
  readonly view: ComponentType;
  /** For whom: those who are signed in, those who are not, or everybody. */
  readonly audience: 'signed-in' | 'signed-out' | 'anybody';
};
