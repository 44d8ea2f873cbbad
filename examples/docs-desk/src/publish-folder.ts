/** For `troupe dev --docs DIR`: server and worker are there; brings them a folder. */
import { connect } from '@troupe/client';
import { bringDocuments } from './bring-documents.ts';
import { findFolderDocuments } from './documents.ts';

/** Where to. */
export interface PublishFolderOptions {
  readonly folder: string;
  readonly url: string;
  readonly prefix: string;
  readonly stderr: { readonly isTTY?: boolean | undefined; write(text: string): unknown };
  readonly signal: AbortSignal;
}

/** Publishes what isn't known yet. */
export async function publishFolder({ folder, url, prefix, stderr, signal }: PublishFolderOptions): Promise<void> {
  await using troupe = await connect({ url, prefix, name: 'docs-desk' });
  await bringDocuments(troupe, findFolderDocuments(folder), { alone: false, stderr, signal });
}
