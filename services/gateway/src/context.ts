/** What routes and WebSockets work with. */
import type { Troupe } from '@troupe/client';
import type { ActorDefinition } from '@troupe/core';
import type { Logger, MetricsRegistry } from '@troupe/diagnostics';
import type { Ports } from '@troupe/runtime';
import type { Subjects } from '@troupe/wire';
import type { EventChannels } from './http/event-channels.ts';
import type { GatewayLimits } from './options.ts';

export interface GatewayContext {
  readonly troupe: Troupe;
  readonly ports: Ports;
  readonly subjects: Subjects;
  /** Of the config file, where there is one: for folding journals and showing machines. */
  readonly definitions: readonly ActorDefinition[];
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  readonly limits: GatewayLimits;
  /** Where event streams come from. */
  readonly channels: EventChannels;
  /** Aborted when the gateway closes. */
  readonly signal: AbortSignal;
}
