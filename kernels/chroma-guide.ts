/**
 * Colour at full size from brightness at full size: D and E are held at half size, and what they lost is taken to follow S as they follow
 * it at half size, cell by cell (the local linear model of He, Sun and Tang, "Guided Image Filtering", 2010).
 */
import type { EnhanceWorkspace } from './enhance-kernels.ts';

/** Elements of a cell, 8x8 at half size. */
const cellElements = 64;
/** guideSums divides elements x 32 by 8. */
const sumsScale = 4;
/** Of composePicture's slopes. D is held doubled. */
const slopeScales = [16_384 / 2, 8_192] as const;
/** D changes as much as S in pure red and blue, and E twice as much in pure green; no plane more than that. */
const steepest = 16_384;

/** The plane of S at half size: that of the frame's D, which nothing needs any more once D is denoised. */
export const guidePlane = ({ planes }: EnhanceWorkspace): number => planes[1].frame;

/**
 * Fills the guide plane and the slopes from the denoised planes. `variance`: that of what noise left in S; cells that vary less than that
 * say nothing.
 */
export function guideChroma(workspace: EnhanceWorkspace, variance: number): void {
  const { kernels, planes, guideSums, slopes } = workspace;
  const [s, d, e] = planes;
  const guide = guidePlane(workspace);
  kernels.halvePlane(s.denoised, s.stride, s.width, s.height, guide, d.stride);
  kernels.padPlane(guide, d.width, d.height, d.stride);
  kernels.guideSums(guide, d.denoised, e.denoised, d.stride, d.width, d.height, guideSums);
  const cells = (d.width / 8) * (d.height / 8);
  const sums = workspace.integers32(guideSums, 6 * cells);
  const target = workspace.integers16(slopes, 2 * cells);
  const noise = variance * sumsScale ** 2;
  for (let cell = 0; cell < cells; cell++) {
    const mean = sums[6 * cell]! / cellElements;
    const varied = sums[6 * cell + 1]! / cellElements - mean * mean + noise;
    for (let plane = 0; plane < 2; plane++) {
      const at = 6 * cell + 2 + 2 * plane;
      const together = sums[at + 1]! / cellElements - (sums[at]! / cellElements) * mean;
      const slope = (slopeScales[plane]! * together) / varied;
      target[2 * cell + plane] = Math.max(-steepest, Math.min(steepest, Math.round(slope)));
    }
  }
}
