import { defineAgent, defineConfig } from '@troupe/agent';
import { order } from './order.ts';

export default defineConfig({ actors: [defineAgent({ type: 'order', version: 1, machine: order })] });
