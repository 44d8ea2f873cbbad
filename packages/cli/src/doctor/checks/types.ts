/** Types of the config file that nobody hosts, or in another version. */
import type { Check } from '../check.ts';
import { type Finding, ok, unknown, warning } from '../finding.ts';

export const types: Check = {
  name: 'types',
  looksAt: 'that every type of the config file is hosted, in its version',
  async run(look) {
    const wanted = look.project.loaded?.config.actors ?? [];
    const leases = (await look.workers()).map(({ lease }) => lease);
    if (wanted.length === 0) return ok('types', 'there is no config file here to compare with');
    if (leases.length === 0) return unknown('types', 'no worker is alive to compare with.', 'troupe worker');
    const missing = wanted.filter(({ type }) => !leases.some((lease) => lease.types[type] !== undefined));
    const other = wanted.filter(({ type, version }) =>
      leases.some((lease) => lease.types[type] !== undefined && lease.types[type] !== version),
    );
    const findings: Finding[] = [];
    if (missing.length > 0)
      findings.push(
        warning(
          'types',
          `no worker hosts ${missing.map(({ type }) => type).join(', ')} of the config file: start one with this config.`,
          'troupe worker',
        ),
      );
    if (other.length > 0)
      findings.push(
        warning(
          'types',
          `workers run other versions of ${other.map(({ type, version }) => `${type} (here ${version})`).join(', ')}: a deploy is under way, or forgotten.`,
          'troupe workers',
        ),
      );
    return findings.length > 0 ? findings : ok('types', `all ${wanted.length} of the config file are hosted`);
  },
};
