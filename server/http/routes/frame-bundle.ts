/** Many stored frames in one answer: a wall of fifty boards would otherwise ask a hundred times a second. */
import type { FrameStore } from '../../devices/frames.ts';
import { invalidField } from '../../errors.ts';
import { FrameBundleQuery, frameBundleDescription, MAX_BUNDLE_FRAMES } from '../descriptions/frame-bundle.ts';
import { readQuery } from '../read-query.ts';
import type { Context, Route } from '../route.ts';

export function frameBundleRoutes(frames: Pick<FrameStore, 'read'>): Route[] {
  async function bundle(ctx: Context): Promise<void> {
    const names = readQuery(ctx, FrameBundleQuery).names.split(',');
    if (names.length > MAX_BUNDLE_FRAMES)
      throw invalidField('?names', `at most ${MAX_BUNDLE_FRAMES} names`, `${names.length} names`);
    const pictures = await Promise.all(names.map((name) => frames.read(name)));
    ctx.set('Cache-Control', 'no-store');
    ctx.type = 'application/octet-stream';
    ctx.body = Buffer.concat(pictures.flatMap(withLength));
  }

  return [
    {
      method: 'GET',
      path: '/api/v1/stream/frames/bundle',
      access: 'read',
      frequent: true,
      description: frameBundleDescription,
      handle: bundle,
    },
  ];
}

/** Four bytes that say how many follow, the high one first; 0 for a frame that is not there. */
function withLength(picture: Uint8Array | null): Uint8Array[] {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(picture?.length ?? 0);
  return picture === null ? [length] : [length, picture];
}
