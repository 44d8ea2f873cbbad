/**
 * Paths of nodes: the ids from the root down, joined with `/`; the root is `''`. An id that contains `/` or `%` is
 * percent-encoded, and the empty id is written `%`, so that every path reads back to the same ids.
 */

/** Path of the root machine. */
export const ROOT_PATH = '';

/**
 * Path of the child `id` under the node at `parent`.
 *
 * @example childPath('order', 'a/b') // 'order/a%2Fb'
 */
export function childPath(parent: string, id: string): string {
  const segment = encodeSegment(id);
  return parent === ROOT_PATH ? segment : `${parent}/${segment}`;
}

/** Path of the node above; the root is above itself. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? ROOT_PATH : path.slice(0, slash);
}

/** The ids from the root down to the node at `path`; none for the root. */
export function pathIds(path: string): string[] {
  return path === ROOT_PATH ? [] : path.split('/').map(decodeSegment);
}

function encodeSegment(id: string): string {
  if (id === '') return '%';
  if (!id.includes('/') && !id.includes('%')) return id;
  return id.replaceAll('%', '%25').replaceAll('/', '%2F');
}

function decodeSegment(segment: string): string {
  if (segment === '%') return '';
  if (!segment.includes('%')) return segment;
  return segment.replaceAll('%2F', '/').replaceAll('%25', '%');
}
