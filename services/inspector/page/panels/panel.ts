/**
 * What a panel is. A new one is a file that exports an `ActorPanel` or a `GlobalPanel`, and a line in `index.ts`.
 */
import type { ComponentType } from 'preact';
import type { ActorModel } from '../model/actor-model.ts';

/** A tab of an actor. It shows `model.shown`: the newest step, or that of the moment chosen by the slider. */
export interface ActorPanel {
  /** In the address of the page. */
  readonly id: string;
  readonly title: string;
  readonly view: ComponentType<{ readonly model: ActorModel }>;
}

/** A page about the whole. */
export interface GlobalPanel {
  readonly id: string;
  readonly title: string;
  readonly view: ComponentType;
}
