/**
 * What the compiler can't refuse in the packages that must be pure. Timers, `process` and `fetch` don't compile there
 * (`lib` without ambient types); the clock and randomness are part of the language, so they are refused here.
 */
import { isNode, lineOf, type Node, requestsOf, type Source, walk } from './source.ts';

/** Global objects that are impure as a whole. */
const impureGlobals = new Set(['crypto', 'performance', 'globalThis']);

const advice = 'take the time and the randomness from the caller (a step has `now` and a seed)';

/** @returns one sentence per violation */
export function checkPurity(source: Source, displayPath: string): string[] {
  const found: { offset: number; what: string }[] = [];
  walk(source.program, (node, parent) => {
    const what = describeImpurity(node, parent);
    if (what !== undefined) found.push({ offset: node.start, what });
  });
  const sentences = found.map(({ offset, what }) => `${displayPath}:${lineOf(source, offset)}: ${what}; ${advice}`);
  for (const { specifier, line } of requestsOf(source)) {
    if (/^(node:)?crypto$/.test(specifier))
      sentences.push(`${displayPath}:${line}: import of "${specifier}"; ${advice}`);
  }
  return sentences;
}

function describeImpurity(node: Node, parent: Node | undefined): string | undefined {
  if (node.type === 'NewExpression' && isIdentifier(node.callee, 'Date') && argumentsOf(node).length === 0)
    return 'new Date()';
  if (node.type === 'CallExpression' && isIdentifier(node.callee, 'Date')) return 'Date()';
  if (node.type === 'MemberExpression' && isIdentifier(node.object, 'Date') && memberName(node) === 'now')
    return 'Date.now';
  if (node.type === 'MemberExpression' && isIdentifier(node.object, 'Math') && memberName(node) === 'random')
    return 'Math.random';
  if (node.type === 'VariableDeclarator') return describeDestructuring(node);
  const name = node.type === 'Identifier' ? String(node.name) : '';
  return impureGlobals.has(name) && isReference(node, parent) ? name : undefined;
}

/** `const { now } = Date` hides the same call. */
function describeDestructuring({ id, init }: Node): string | undefined {
  if (!isNode(id) || id.type !== 'ObjectPattern') return undefined;
  if (isIdentifier(init, 'Date')) return 'taking Date apart';
  return isIdentifier(init, 'Math') &&
    (id.properties as Node[]).some((property) => isIdentifier(property.key, 'random'))
    ? 'Math.random'
    : undefined;
}

/** Whether the name stands for the global, not for somebody's property or parameter of that name. */
function isReference(node: Node, parent: Node | undefined): boolean {
  switch (parent?.type) {
    case 'MemberExpression':
      return parent.object === node || parent.computed === true;
    case 'CallExpression':
    case 'VariableDeclarator':
    case 'TSTypeQuery':
      return parent.id !== node;
    default:
      return false;
  }
}

function isIdentifier(value: unknown, name: string): boolean {
  return isNode(value) && value.type === 'Identifier' && value.name === name;
}

function memberName({ property, computed }: Node): unknown {
  if (!isNode(property)) return undefined;
  return computed === true ? property.value : property.name;
}

function argumentsOf(node: Node): unknown[] {
  return Array.isArray(node.arguments) ? node.arguments : [];
}
