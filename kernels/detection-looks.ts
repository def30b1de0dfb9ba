/** Pictures of a very dark frame that detectors find more faces in than in the one that people look at. */
import { type ColourCorrection, correctionBlock, noCorrection } from './colour-correction.ts';
import type { EnhanceWorkspace } from './enhance-kernels.ts';
import { composePicture } from './enhance-steps.ts';
import type { MergeReport } from './frame-merge.ts';
import type { Picture } from './picture.ts';

/** Noise of (R + G + B) / 3 in dark tones, in 8-bit codes as they are after brightening, from which on a frame counts as very dark: about gain 16 at a seventh of the light. */
const darkFrom = 12;
/** Merged frames from which on what is left of the noise does not need softening, and faces can be told apart. */
const clearFrom = 3;
const softenings = 2;

/** `variances`: of S at each brightness, of a single frame; `neededGain`: that of its correction. */
export const isVeryDark = (variances: Float32Array, neededGain: number): boolean =>
  (Math.sqrt(variances[48]!) / 3) * neededGain >= darkFrom;

export const isMergedClear = (merged: MergeReport | null): boolean => (merged?.meanFrames ?? 1) >= clearFrom;

/**
 * Two looks at the frame in the workspace: as it was captured, and corrected. What shrinkage leaves of strong noise has edges, and looks
 * like a face now and then: both are softened. The workspace's denoised planes are changed.
 */
export function makeLooks(
  workspace: EnhanceWorkspace,
  correction: ColourCorrection,
  merged: MergeReport | null,
  width: number,
  height: number,
): Picture[] {
  const { kernels, planes } = workspace;
  const [s] = planes;
  if (!isMergedClear(merged)) {
    for (let i = 0; i < softenings; i++) {
      kernels.smoothPlane(s.denoised, s.frame, s.stride, s.width, s.height, 1);
      kernels.padPlane(s.denoised, s.width, s.height, s.stride);
    }
  }
  return [noCorrection, correction].map((one) =>
    composePicture(workspace, correctionBlock(one), width, height),
  );
}
