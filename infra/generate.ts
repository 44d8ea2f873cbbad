/** `node infra/generate.ts`: the configuration of a NATS cluster for Troupe. See README.md. */
import { readOptions, USAGE } from './src/options.ts';
import { writeCluster } from './src/write-cluster.ts';

try {
  if (process.argv.includes('--help')) process.stdout.write(USAGE);
  else {
    const { url, servers, users } = writeCluster(readOptions(process.argv.slice(2), process.cwd()));
    process.stdout.write(`${servers.map(({ configFile }) => `nats-server --config ${configFile}`).join('\n')}\n`);
    process.stdout.write(`users: ${users.map(({ envFile }) => envFile).join(', ')}\n${url}\n`);
  }
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 2;
}
