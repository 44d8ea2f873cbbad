import { isNode, lineOf, type Node, type Source, walk } from './source.ts';

/** Longer than this is reported, so that somebody asks whether it is two things. Not an error. */
export const functionLinesMax = 70;
export const fileLinesMax = 400;

/** @returns one sentence per function or file that is longer than the limits */
export function reportSizes(source: Source, displayPath: string): string[] {
  const fileLines = source.text.trimEnd().split('\n').length;
  const sentences = fileLines > fileLinesMax ? [`${displayPath}: ${fileLines} lines`] : [];
  walk(source.program, (node, parent) => {
    if (!/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)) return;
    const firstLine = lineOf(source, node.start);
    const lines = lineOf(source, node.end) - firstLine + 1;
    if (lines > functionLinesMax)
      sentences.push(`${displayPath}:${firstLine}: ${nameOf(node, parent)} has ${lines} lines`);
  });
  return sentences;
}

function nameOf(node: Node, parent: Node | undefined): string {
  const named = [node.id, parent?.id, parent?.key].find((value) => isNode(value) && value.type === 'Identifier');
  return isNode(named) ? String(named.name) : 'a function';
}
