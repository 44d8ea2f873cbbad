/** docs/reference/http.md and the limits of the guide against the code. To write the former anew: `TROUPE_UPDATE_DOCS=1`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { LIMITS_DEFAULT } from '@troupe/service-gateway';
import { documentedRoutes } from '@troupe/service-gateway/internal';
import { expect, test } from 'vitest';

const MARKS = { begin: '<!-- generated: begin -->', end: '<!-- generated: end -->' };
const page = new URL('../../../docs/reference/http.md', import.meta.url);
const guide = new URL('../../../docs/guides/gateway.md', import.meta.url);

function tables(): string {
  const routes = documentedRoutes();
  const tags = [...new Set(routes.map(({ tag }) => tag))];
  const section = (tag: string): string[] => [
    `## ${tag[0]!.toUpperCase()}${tag.slice(1)}`,
    '',
    '| route | role | parameters | does |',
    '| --- | --- | --- | --- |',
    ...routes
      .filter((route) => route.tag === tag)
      .map(({ method, path, role, query = {}, headers = {}, summary, description = '' }) => {
        const names = [
          ...Object.keys(query).map((name) => `\`?${name}\``),
          ...Object.keys(headers).map((name) => `\`${name}\``),
        ];
        return `| \`${method} ${path}\` | ${role} | ${names.join(' ')} | ${`${summary} ${description}`.trim()} |`;
      }),
    '',
  ];
  return tags.flatMap(section).join('\n').trim();
}

test('docs/reference/http.md says of every route what the routes say', () => {
  const text = readFileSync(page, 'utf8');
  const [from, to] = [text.indexOf(MARKS.begin) + MARKS.begin.length, text.indexOf(MARKS.end)];
  if (process.env.TROUPE_UPDATE_DOCS !== undefined)
    writeFileSync(page, `${text.slice(0, from)}\n\n${tables()}\n\n${text.slice(to)}`);
  const now = readFileSync(page, 'utf8');
  expect(now.slice(from, now.indexOf(MARKS.end)).trim()).toBe(tables());
});

test('the guide has every limit with its default, and no other', () => {
  const rows = [...readFileSync(guide, 'utf8').matchAll(/^\| `(\w+)` \| (\d+) \| /gm)].map(([, name, value]) => [
    name,
    Number(value),
  ]);
  expect(Object.fromEntries(rows)).toEqual(LIMITS_DEFAULT);
});
