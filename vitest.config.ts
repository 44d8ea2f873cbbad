import { defineConfig } from 'vitest/config';

const everyTest = [
  'packages/*/test/**/*.test.ts',
  'services/*/test/**/*.test.ts',
  'examples/*/test/**/*.test.ts',
  'scripts/test/**/*.test.ts',
];

/**
 * Two kinds of tests. `unit` needs nothing but Node. `server` starts a real nats-server per file and may kill it, so it
 * runs with few workers and long deadlines; its files end in `.server.test.ts`.
 */
export default defineConfig({
  test: {
    passWithNoTests: true,
    projects: [
      {
        test: {
          name: 'unit',
          include: everyTest,
          exclude: ['**/*.server.test.ts', '**/node_modules/**'],
          // A generous bound for a busy machine; what a test may take is not what it should take.
          testTimeout: 30_000,
          hookTimeout: 30_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'server',
          include: everyTest.map((glob) => glob.replace('*.test.ts', '*.server.test.ts')),
          exclude: ['**/node_modules/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});
