/** Who asks, and what they may do. */

/** `read` sees everything and changes nothing; `operate` may send, signal, redrive and drop too. */
export type Role = 'read' | 'operate';

export const ROLES: readonly Role[] = ['read', 'operate'];

/** Whoever is behind a request. */
export interface Principal {
  /** As the token is named; `local` where nobody has to say who they are. */
  readonly name: string;
  readonly role: Role;
}

/** Whether somebody with `held` may do what needs `needed`. */
export function covers(held: Role, needed: Role): boolean {
  return held === 'operate' || needed === 'read';
}
