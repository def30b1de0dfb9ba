import Type from 'typebox';
import { bytes, type RouteDescription } from '../route-description.ts';

export const MAX_BUNDLE_FRAMES = 64;

export const FrameBundleQuery = Type.Object({
  names: Type.String({
    minLength: 1,
    maxLength: 8192,
    expected: 'file names of frames, with commas between them',
    description: `File names of at most ${MAX_BUNDLE_FRAMES} stored frames, with commas between them`,
  }),
});

export const frameBundleDescription: RouteDescription = {
  operationId: 'getFrameBundle',
  summary: 'Several stored frames in one answer',
  details:
    'For each name in its turn four bytes, the high one first, that say how long the JPEG behind them is; 0 for a frame that is not kept any more.',
  tag: 'frames',
  query: FrameBundleQuery,
  answers: {
    200: { description: 'The frames.', content: { 'application/octet-stream': bytes('The frames') } },
  },
};
