/** Actors that nobody can run: their type is hosted by no worker, or no code here can fold their state. */
import type { Check } from '../check.ts';
import { type Finding, ok, unknown, warning } from '../finding.ts';
import { ACTORS_MAX } from '../look.ts';
import { someOf } from '../names.ts';

export const actors: Check = {
  name: 'actors',
  looksAt: 'actors whose type nobody hosts, and suspended ones',
  async run(look) {
    const answering = await look.answering();
    if (answering.length === 0)
      return unknown('actors', 'no worker answers, so nobody says which types there are.', 'troupe workers');
    const { countByType, isCut } = await look.stored();
    const hosted = new Set((await look.workers()).flatMap(({ lease }) => Object.keys(lease.types)));
    const orphaned = [...countByType].filter(([type]) => !hosted.has(type));
    const suspended = (await look.residents()).filter(({ status }) => status === 'suspended');
    const findings: Finding[] = [];
    if (orphaned.length > 0)
      findings.push(
        warning(
          'actors',
          `no worker hosts the types of ${someOf(orphaned.map(([type, count]) => `${count} of ${type}`))}: start a worker with their definitions.`,
          'troupe worker',
        ),
      );
    const [first] = suspended;
    if (first !== undefined)
      findings.push(
        warning(
          'actors',
          `${suspended.length} are suspended, for no code there can go on with their states (${someOf(suspended.map(({ actor }) => actor))}): deploy a version that lists theirs as previous.`,
          `troupe state show ${first.actor}`,
        ),
      );
    if (findings.length > 0) return findings;
    const total = [...countByType.values()].reduce((sum, count) => sum + count, 0);
    return ok('actors', `${isCut ? `the first ${ACTORS_MAX}` : total} stored ones have a host, none is suspended`);
  },
};
