/** What `troupe dev` and the thread of its gateway tell each other. */
import type { Settings } from '@troupe/service-worker/internal';
import type { TroupeError } from '@troupe/wire';

/** What a thread starts with. */
export interface GatewayThreadData {
  /** With the address of the server that dev uses. */
  readonly settings: Settings;
  readonly configFile: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The inspector's page, made already. */
  readonly pageDir: string;
}

/** `listen`: where, and how many ports after it may be tried. */
export type ToGateway =
  | { readonly kind: 'listen'; readonly listen: string; readonly nextPorts: number }
  | { readonly kind: 'close' };

/** `loaded`: the code is sound, it waits for `listen`. */
export type ToSession =
  | { readonly kind: 'loaded' }
  | { readonly kind: 'listening'; readonly url: string; readonly port: number; readonly needsToken: boolean }
  | { readonly kind: 'failed'; readonly code: TroupeError['code']; readonly message: string };
