/**
 * From what a sensor sent to a picture that people like to look at: noise estimated and removed, still frames merged, colour and
 * exposure put right. Pure orchestration over the kernels; what is remembered of a device lies in the caller's FrameHistory.
 */
import type { ExpectedNoise } from './cell-noise.ts';
import { checkPixels } from './checks.ts';
import { guideChroma } from './chroma-guide.ts';
import { correctionBlock, noCorrection, planCorrection } from './colour-correction.ts';
import { isMergedClear, isVeryDark, makeLooks } from './detection-looks.ts';
import { compileEnhance, EnhanceWorkspace, instantiateEnhance } from './enhance-kernels.ts';
import {
  blurChroma,
  channelRatios,
  checkFrame,
  colourSamples,
  composePicture,
  frameSamples,
  padPlanes,
  readFrame,
  readLevels,
  type SensorFrame,
  sampleSpectra,
  sharpenChroma,
} from './enhance-steps.ts';
import {
  checkMethod,
  checkSensorState,
  type DenoisingMethod,
  describeEnhancement,
  type EnhancementReport,
  type SensorState,
} from './enhancement-report.ts';
import type { FrameHistory } from './frame-history.ts';
import { type MergeReport, mergeWithHistory, spreadCounts } from './frame-merge.ts';
import { learntSpectrum, minLearntBlocks, passingShare } from './learnt-noise.ts';
import { gammaTable, linearRounding, wereLinear } from './linear-light.ts';
import { estimatePlaneNoise, type PlaneNoise, trustedSpectrum } from './noise-estimate.ts';
import { evenRounding, fitNoise, NoiseCurves, noiseTable, thresholdTable } from './noise-fit.ts';
import { modelGains, quantisationStep } from './noise-model.ts';
import type { Picture } from './picture.ts';
import { createReferenceEnhance } from './reference-enhance.ts';

export interface EnhancedFrame {
  readonly picture: Picture;
  /** What detectors should look at instead, where they were asked for and the frame is very dark; none otherwise. */
  readonly looks: readonly Picture[];
  readonly report: EnhancementReport;
}

export interface Enhancer {
  readonly implementation: 'simd' | 'reference';
  /**
   * Enhances one frame. With a history of the same size the frame is merged into it first; a history that another thread holds is
   * left alone. `colour` says whether colour and exposure are put right or left as they were captured, `method` how noise is shrunk: in
   * overlapping blocks of the DCT, or by the cheaper local Wiener filter; `withLooks` whether a detector is going to look at the frame;
   * `target` where the picture is written, width x height x 3 bytes: bytes of its own unless given.
   * Throws RangeError or TypeError where frame or state make no sense.
   */
  enhance(
    frame: SensorFrame,
    sensor: SensorState,
    history: FrameHistory | null,
    colour?: 'corrected' | 'captured',
    method?: DenoisingMethod,
    withLooks?: boolean,
    target?: Uint8Array,
  ): EnhancedFrame;
}

/**
 * Thresholds of shrinkage, in standard deviations: below it all of a coefficient goes, from twice that on nothing; and the margin on every
 * variance: too much costs nothing, too little 2 dB.
 */
const lambda = 2;
const varianceMargin = 1.1;
/** The same for colour differences in front of the Wiener filter, whose small window mistakes their noise for edges. */
const wienerChromaMargin = 1.5;
/** Noise of R - B in dark tones, in 8-bit codes after brightening, from which on colour is blurred once, and twice. */
const blurFrom = 16;
const blurTwiceFrom = 24;
/** Brings back a little of the colour detail that half-size planes lose; more of it brings back noise. */
const chromaSharpening = 0.06;
/** Sizes of frames whose memory is kept ready: some ten bytes a pixel each. */
const maxWorkspaces = 3;

const roundingSteps: Record<SensorFrame['format'], readonly [number, number, number]> = {
  RGB565: [quantisationStep.fiveBits, quantisationStep.sixBits, quantisationStep.fiveBits],
  GRAYSCALE: [1, 1, 1],
  YUV422: [1, 1, 1],
  RGB888: [1, 1, 1],
};

/** One per thread. `reference` runs the plain twin of every kernel. */
export async function createEnhancer(implementation: 'simd' | 'reference'): Promise<Enhancer> {
  return new FrameEnhancer(implementation);
}

class FrameEnhancer implements Enhancer {
  readonly implementation: 'simd' | 'reference';
  readonly #curves = new NoiseCurves();
  readonly #module = compileEnhance();
  /** The one used last comes first. */
  readonly #workspaces: EnhanceWorkspace[] = [];

  constructor(implementation: 'simd' | 'reference') {
    this.implementation = implementation;
  }

  enhance(
    frame: SensorFrame,
    sensor: SensorState,
    history: FrameHistory | null,
    colour: 'corrected' | 'captured' = 'corrected',
    method: DenoisingMethod = 'dct',
    withLooks = false,
    target?: Uint8Array,
  ): EnhancedFrame {
    checkFrame(frame);
    checkSensorState(sensor);
    checkMethod(method);
    const { width, height } = frame;
    if (history && (history.width !== width || history.height !== height)) {
      throw new RangeError(
        `history: expected one of ${width} x ${height}, received ${history.width} x ${history.height}`,
      );
    }
    if (target) checkPixels('target', target, width, height, 3);
    const workspace = this.#workspaceFor(width, height);
    const isCalledLinear = sensor.gammaApplied === false;
    readFrame(workspace, frame, isCalledLinear ? gammaTable : null);
    const isLinear = isCalledLinear && wereLinear(frameSamples(workspace));
    if (isCalledLinear && !isLinear) readFrame(workspace, frame);
    padPlanes(workspace, 'frame');
    readLevels(workspace);

    const ratios = channelRatios(workspace);
    const rounding = (isLinear ? linearRounding : evenRounding)(roundingSteps[frame.format]);
    const thresholds = thresholdTable(lambda, new Float32Array(64).fill(1));
    const measured = [0, 1, 2].map((plane) =>
      estimatePlaneNoise(sampleSpectra(workspace, plane, thresholds)),
    );
    const fit = fitNoise(this.#curves, measured, ratios, rounding, sensor.gain);
    const variances = fit.scales.map((scale, plane) =>
      this.#curves.table(plane, fit.gainIndex, scale, ratios, rounding),
    );

    const merged = mergeOverTime(workspace, history, () => ({
      channels: [0, 1, 2].map((channel) => this.#curves.channel(channel, fit.gainIndex, rounding)),
      scales: fit.scales,
      spectra: measured.map(({ spectrum }) => trustedSpectrum(spectrum)),
    }));
    const spectrum = this.#denoise(workspace, history, merged !== null, measured, variances, method);
    const hints = {
      illuminantGains: sensor.illuminantGains,
      sensorBalanced: sensor.whiteBalanced === true,
      gain: modelGains[fit.gainIndex]!,
    };
    const correction = colour === 'captured' ? noCorrection : planCorrection(colourSamples(workspace), hints);
    const blurs = chromaBlurs(variances[1]!, correction.neededGain, merged);
    if (blurs > 0) blurChroma(workspace, blurs);
    else sharpenChroma(workspace, chromaSharpening);
    guideChroma(workspace, variances[0]![48]!);
    const picture = composePicture(workspace, correctionBlock(correction), width, height, target);
    const dark = isVeryDark(variances[0]!, correction.neededGain);
    const looks = withLooks && dark ? makeLooks(workspace, correction, merged, width, height) : [];
    const legible = !dark || isMergedClear(merged);
    const report = describeEnhancement(
      sensor,
      fit,
      method,
      variances[0]!,
      spectrum,
      merged,
      correction,
      legible,
      isLinear,
    );
    return { picture, looks, report };
  }

  #workspaceFor(width: number, height: number): EnhanceWorkspace {
    const known = this.#workspaces.findIndex((workspace) => workspace.fits(width, height));
    const workspace =
      known >= 0
        ? this.#workspaces.splice(known, 1)[0]!
        : new EnhanceWorkspace(
            this.implementation === 'simd' ? instantiateEnhance(this.#module) : createReferenceEnhance(),
            width,
            height,
          );
    this.#workspaces.unshift(workspace);
    this.#workspaces.length = Math.min(this.#workspaces.length, maxWorkspaces);
    return workspace;
  }

  #denoise(
    workspace: EnhanceWorkspace,
    history: FrameHistory | null,
    merged: boolean,
    measured: readonly PlaneNoise[],
    variances: readonly Float32Array[],
    method: DenoisingMethod,
  ): EnhancementReport['noise']['spectrum'] {
    const { kernels, planes, levelColumns, levelRows } = workspace;
    let used: EnhancementReport['noise']['spectrum'] = 'white';
    planes.forEach((plane, i) => {
      const learnt = history ? learntSpectrum(history, i) : null;
      const frameSpectrum = trustedSpectrum(measured[i]!.spectrum);
      const isLearnt = learnt !== null && learnt.blocks >= minLearntBlocks;
      const spectrum = isLearnt ? learnt.spectrum : frameSpectrum;
      if (i === 0 && method === 'dct') used = isLearnt ? 'learnt' : frameSpectrum[1]! > 1 ? 'frame' : 'white';
      const passing = merged && history ? passingShare(history, i) : 1;
      const margin = method === 'wiener' && i > 0 ? wienerChromaMargin : varianceMargin;
      const table = noiseTable((level) => margin * variances[i]![level]!, passing, merged ? 16 : 1);
      workspace.bytes.set(new Uint8Array(table.buffer), plane.noiseTable);
      workspace.integers16(plane.thresholds, 72).set(thresholdTable(lambda, spectrum));
      const step = i === 0 ? 1 : 2;
      const columns = plane.width / 4 + 1;
      const rows = plane.height / 4 + 1;
      kernels.noiseMap(
        workspace.levels,
        workspace.counts,
        levelColumns,
        columns,
        Math.min(rows, levelRows),
        step,
        plane.noiseTable,
        plane.sigmas,
      );
      if (method === 'wiener') {
        kernels.wienerPlane(
          plane.frame,
          plane.denoised,
          plane.stride,
          plane.width,
          plane.height,
          plane.sigmas,
          workspace.scratch,
        );
        return;
      }
      kernels.shrinkPlane(
        plane.frame,
        plane.denoised,
        plane.stride,
        plane.width,
        plane.height,
        plane.sigmas,
        plane.thresholds,
        workspace.scratch,
      );
    });
    padPlanes(workspace, 'denoised');
    return used;
  }
}

/**
 * How often colour differences are blurred: shrinkage keeps the mean of every block, and where brightening makes the noise of those
 * means visible, eyes prefer washed-out colours to coloured blocks.
 */
function chromaBlurs(variances: Float32Array, gain: number, merged: MergeReport | null): number {
  // D is held doubled; dark tones show it most.
  const sigma = (Math.sqrt(variances[48]!) / 2 / Math.sqrt(merged?.meanFrames ?? 1)) * gain;
  return sigma < blurFrom ? 0 : sigma < blurTwiceFrom ? 1 : 2;
}

/** Merges the frame into a history that no other thread holds, and notes how many frames each block is then made of. */
function mergeOverTime(
  workspace: EnhanceWorkspace,
  history: FrameHistory | null,
  expectedNoise: () => ExpectedNoise,
): MergeReport | null {
  const { levelColumns, levelRows, bytes } = workspace;
  bytes.fill(1, workspace.counts, workspace.counts + levelColumns * levelRows);
  if (!history?.tryLock()) return null;
  try {
    const report = mergeWithHistory(workspace, history, expectedNoise());
    padPlanes(workspace, 'frame');
    spreadCounts(workspace, history.counts);
    return report;
  } finally {
    history.unlock();
  }
}
