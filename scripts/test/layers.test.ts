import { describe, expect, test } from 'vitest';
import { checkLayers, type Layers } from '../checks/layers.ts';
import type { FileImports, Package, Workspace } from '../checks/workspace.ts';

const layers: Layers = {
  layers: { '@troupe/wire': 0, '@troupe/core': 1, '@troupe/client': 1 },
  confined: { xstate: { to: ['packages/core/src/machine'], reason: 'the engine sits behind the driver' } },
};

function member(folder: string, overrides: Partial<Package> = {}, dependencies: Record<string, string> = {}): Package {
  const name = `@troupe/${folder.split('/')[1]}`;
  return { folder, manifest: { name, dependencies }, references: [], sources: [], tests: [], ...overrides };
}

function importing(path: string, ...specifiers: string[]): FileImports {
  return { path, requests: specifiers.map((specifier) => ({ specifier, line: 1 })) };
}

const wire = member('packages/wire');
const client = member('packages/client');
const core = (overrides: Partial<Package> = {}) =>
  member(
    'packages/core',
    { references: ['packages/wire'], ...overrides },
    { '@troupe/wire': 'workspace:*', xstate: '5' },
  );

function check(...packages: Package[]): string[] {
  const all = [wire, client, ...packages];
  const members = all.filter((one, index) => all.findLastIndex(({ folder }) => folder === one.folder) === index);
  const folders = members.map(({ folder }) => folder);
  const workspace: Workspace = {
    root: {
      manifest: { name: 'troupe', devDependencies: { vitest: '5', '@troupe/core': 'workspace:*' } },
      references: [...folders, 'tsconfig.tests.json'],
      testReferences: folders,
    },
    packages: members,
  };
  return checkLayers(workspace, layers);
}

test('a workspace that keeps its borders has no problem', () => {
  const sources = [
    importing('packages/core/src/step.ts', '@troupe/wire', '@troupe/wire/internal', './effect.ts', 'node:fs'),
  ];
  const tests = [
    importing('packages/core/test/step.test.ts', '../src/step.ts', '@troupe/core', 'vitest', '../../../scripts/x.ts'),
  ];
  expect(check(core({ sources, tests }))).toEqual([]);
});

describe('rule 1: strictly downward', () => {
  test('not upward, and not within a layer', () => {
    const up = member('packages/wire', { references: ['packages/core'] }, { '@troupe/core': 'workspace:*' });
    const beside = member('packages/client', { references: ['packages/core'] }, { '@troupe/core': 'workspace:*' });
    expect(check(up, core())).toContain(
      'packages/wire/package.json: @troupe/wire (layer 0) depends on @troupe/core (layer 1), not below it',
    );
    expect(check(beside, core())).toEqual([
      'packages/client/package.json: @troupe/client (layer 1) depends on @troupe/core (layer 1), not below it',
    ]);
  });

  test('development dependencies count too', () => {
    const up = member('packages/wire', {
      manifest: { name: '@troupe/wire', devDependencies: { '@troupe/core': 'workspace:*' } },
    });
    expect(check(up, core())).toHaveLength(1);
  });

  test('a new package needs a layer; an example is above all', () => {
    const example = member('examples/desk', { references: ['packages/core'] }, { '@troupe/core': 'workspace:*' });
    expect(check(core(), example)).toEqual([]);
    expect(check(core(), member('packages/new'))).toEqual([
      'packages/new/package.json: @troupe/new has no layer in layers.json',
    ]);
  });
});

describe('rule 2: references agree with manifests', () => {
  test.for([
    { references: [], problem: 'packages/core/tsconfig.json: no reference to packages/wire, which is in the manifest' },
    {
      references: ['packages/wire', 'packages/client'],
      problem: 'packages/core/tsconfig.json: refers to packages/client, which is not in the manifest',
    },
    { references: undefined, problem: 'packages/core/tsconfig.json is missing' },
  ])('$problem', ({ references, problem }) => {
    expect(check(core({ references }))).toEqual([problem]);
  });
});

describe('rules 3 to 5: what a source imports', () => {
  test.for([
    {
      path: 'packages/core/src/a.ts',
      specifier: 'msgpackr',
      problem: 'is not in the dependencies of packages/core/package.json',
    },
    {
      path: 'packages/core/src/a.ts',
      specifier: '@troupe/client',
      problem: 'is not in the dependencies of packages/core/package.json',
    },
    {
      path: 'packages/core/src/a.ts',
      specifier: '@troupe/wire/src/codec.ts',
      problem: 'goes past the doors of @troupe/wire, which are "@troupe/wire" and "@troupe/wire/internal"',
    },
    {
      path: 'packages/core/src/a.ts',
      specifier: '../../wire/src/codec.ts',
      problem: 'leaves packages/core; import the package by its name',
    },
    {
      path: 'packages/core/src/a.ts',
      specifier: 'xstate',
      problem: 'may be imported only in packages/core/src/machine: the engine sits behind the driver',
    },
  ])('"$specifier" $problem', ({ path, specifier, problem }) => {
    expect(check(core({ sources: [importing(path, specifier)] }))).toEqual([`${path}:1: "${specifier}" ${problem}`]);
  });

  test('a confined module is free where it is confined to', () => {
    expect(check(core({ sources: [importing('packages/core/src/machine/driver.ts', 'xstate')] }))).toEqual([]);
  });

  test('a test may not go past a door either', () => {
    const tests = [importing('packages/core/test/a.test.ts', '@troupe/core/src/step.ts')];
    expect(check(core({ tests }))).toHaveLength(1);
  });
});
