/** The client library's own publish with its defaults, to compare with. */
import { connect } from 'nats';

/** Acknowledged publishes per second of `callers` at once. */
export async function measureClientPublish(url: string, callers: number, seconds: number): Promise<number> {
  const connection = await connect({ servers: url });
  const js = connection.jetstream();
  const payload = new Uint8Array(200).fill(120);
  let count = 0;
  const startedAt = performance.now();
  const endAt = startedAt + seconds * 1_000;
  const loop = async (caller: number): Promise<void> => {
    while (performance.now() < endAt) {
      await js.publish(`troupe.task.support.session-${caller}`, payload);
      count++;
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, i) => loop(i)));
  const ms = performance.now() - startedAt;
  await connection.close();
  return (count / ms) * 1_000;
}
