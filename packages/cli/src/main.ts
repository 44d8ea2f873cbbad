#!/usr/bin/env node
/** The `troupe` command. Node keeps what it compiled, types stripped, so the second call starts in half the time. */
import { enableCompileCache } from 'node:module';

enableCompileCache();
await import('./process.ts');
