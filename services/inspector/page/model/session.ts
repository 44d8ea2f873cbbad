/** Who looks, and what was last said to them. */
import type { LiveHello } from '../../src/live-protocol.ts';
import type { LiveSocket } from './live-socket.ts';
import { Store } from './store.ts';

export type Theme = 'auto' | 'light' | 'dark';
const THEME_KEY = 'troupe.theme';

export class Session extends Store {
  hello: LiveHello | undefined;
  /** Read out and shown for a moment. */
  notice = '';
  theme: Theme;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: LiveSocket) {
    super();
    this.theme = readTheme();
    this.#applyTheme();
    socket.onOpen(() => {
      socket.ask('hello', {}).then(
        (hello) => {
          this.hello = hello;
          this.changed();
        },
        () => undefined,
      );
    });
  }

  get mayOperate(): boolean {
    return this.hello?.role === 'operate';
  }

  say(text: string): void {
    this.notice = text;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.say(''), text === '' ? 0 : 6_000);
    if (text === '') clearTimeout(this.#timer);
    this.changed();
  }

  nextTheme(): void {
    this.theme = this.theme === 'auto' ? 'light' : this.theme === 'light' ? 'dark' : 'auto';
    try {
      localStorage.setItem(THEME_KEY, this.theme);
    } catch {
      // Kept for this visit only.
    }
    this.#applyTheme();
    this.changed();
  }

  #applyTheme(): void {
    if (this.theme === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = this.theme;
  }
}

function readTheme(): Theme {
  try {
    const kept = localStorage.getItem(THEME_KEY);
    return kept === 'light' || kept === 'dark' ? kept : 'auto';
  } catch {
    return 'auto';
  }
}
