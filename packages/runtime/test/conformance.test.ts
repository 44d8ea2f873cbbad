import { makeMemoryHarness, portConformance } from '@troupe/runtime/internal';
import { describe, test } from 'vitest';

portConformance('in memory', makeMemoryHarness, { describe, test });
