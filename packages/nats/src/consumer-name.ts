/** Consumer names that nobody else has, and that tell an operator whose they are. */
import { nuid } from 'nats';

/** `troupe-<noun>-<unique>`. */
export function consumerName(noun: string): string {
  return `troupe-${noun}-${nuid.next()}`;
}
