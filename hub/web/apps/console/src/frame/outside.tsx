import type { ComponentChildren } from 'preact';
import { Heading } from '@ui/page/heading';
import { LanguageChoice, ThemeChoice } from '@ui/parts/preferences';
import { Brand } from './brand';
import './frame.css';

type OutsideProps = { readonly title: string; readonly children: ComponentChildren };

/** The frame of pages for those who are not signed in. */
export function Outside({ title, children }: OutsideProps) {
  return (
    <div class="outside">
      <main class="outside-card">
        <Brand />
        <Heading>{title}</Heading>
        {children}
      </main>
      <footer class="outside-foot">
        <LanguageChoice bare />
        <ThemeChoice bare />
      </footer>
    </div>
  );
}
