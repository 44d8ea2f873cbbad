/** The raw loop's worker, as a process: consume without acks, answer. `raw-worker.ts <url> <streams, comma-separated>` */
import { AckPolicy, DeliverPolicy } from 'nats';
import { connectRaw, headerText } from './raw-nats.ts';

export const RAW_REPLY_HEADER = 'Reply-To';

async function main(url: string, streams: readonly string[]): Promise<void> {
  const nc = await connectRaw(url, 'bench-raw-worker');
  const inbox = `_INBOX.raw.${process.pid}`;
  const start = `\r\n${RAW_REPLY_HEADER}: `;
  let count = 0;
  nc.subscribe(inbox, {
    callback: (error, msg) => {
      if (error !== null) return;
      const block = headerText(msg);
      const from = block.indexOf(start) + start.length;
      nc.publish(block.slice(from, block.indexOf('\r\n', from)), `${++count}`);
    },
  });
  const manager = await nc.jetstreamManager();
  for (const stream of streams) {
    await manager.consumers.add(stream, {
      name: `raw-${process.pid}`,
      deliver_subject: inbox,
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.New,
      mem_storage: true,
    });
  }
  process.send?.('ready');
  process.once('disconnect', () => process.exit());
}

const [url, streams] = process.argv.slice(2);
if (url !== undefined && streams !== undefined) await main(url, streams.split(','));
