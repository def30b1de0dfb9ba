/**
 * How often two people are taken for one, and one for two, at every threshold: the table behind each embedder's calibration.
 * `npm run bench -- calibration [--embedder <id>] [--faces <folder of people>] [--strangers <folder>] [--models <folder>]`
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type EmbedderModel, modelById } from '../models/manifest.ts';
import { openPipeline } from '../test/support/pipeline.ts';
import type { ModelSelection } from '../workers/protocol.ts';
import { type FaceSet, largestMirrorShift, loadFaceSet, type Trials, trialsOf } from './face-set.ts';
import { type Reporter, verify } from './harness.ts';

export const title = 'false match and true match rates of an embedder, with each detector';

const FALSE_MATCH_RATES = [1e-2, 5e-3, 2e-3, 1e-3, 5e-4, 2e-4, 1e-4] as const;
const OPERATING_SIMILARITY = 0.85;
const OPERATING_FALSE_MATCH_RATE = 5e-4;
/** No threshold is so low that a face below this, even moved as far as any was, would reach it. */
const LEAST_SIMILARITY_THAT_MATTERS = 0.75;

export interface CalibrationOptions {
  readonly embedder?: string;
  readonly faces?: string;
  readonly strangers?: string;
  readonly models?: string;
}

export async function run(reporter: Reporter, options: CalibrationOptions): Promise<void> {
  const shared = fileURLToPath(new URL('../../shared', import.meta.url));
  const people = options.faces ?? join(shared, 'data/faces');
  if (!existsSync(people)) {
    reporter.note('skipped: it needs a folder with a folder of photos for each person (--faces <folder>)');
    return;
  }
  const samples = dirname(fileURLToPath(import.meta.resolve('@vladmandic/face-api/demo/sample1.jpg')));
  const modelFolder = options.models ?? join(shared, 'models');
  const embedder = modelById(options.embedder ?? 'dlib-resnet-v1') as EmbedderModel;
  for (const detector of detectorsIn(modelFolder)) {
    const selection: ModelSelection = {
      detector,
      embedder: { id: embedder.id, path: embedder.file && join(modelFolder, embedder.file.fileName) },
    };
    const set = await loadFaceSet(await openPipeline(selection), people, options.strangers ?? samples);
    verify(set.faces.length > 0, 'no face was found');
    const trials = trialsOf(set);
    reporter.note(
      `${detector.id} + ${embedder.id}: ${set.people} people, ${set.photos} photos, ${set.missed.length} without a face; ` +
        `${trials.impostor.length} impostor and ${trials.genuine.length} genuine trials, each photo also small and compressed`,
    );
    for (const rate of FALSE_MATCH_RATES) describeRate(reporter, detector.id, trials, rate);
    describeOperatingPoint(reporter, detector.id, trials);
    describeMirrorShift(reporter, detector.id, set, embedder.mirrorShift);
  }
}

export function detectorsIn(folder: string): ModelSelection['detector'][] {
  const yunet = join(folder, 'yunet_n_dynamic.onnx');
  const embedded = { id: 'ssd-mobilenet-v1', path: null };
  return existsSync(yunet) ? [embedded, { id: 'yunet-n', path: yunet }] : [embedded];
}

function describeRate(reporter: Reporter, detector: string, trials: Trials, rate: number): void {
  const { similarity, falseMatches } = thresholdAt(trials.impostor, rate);
  const trueMatchRate = shareAtLeast(trials.genuine, similarity);
  const name = `${detector}, false match rate ${rate.toExponential(0)} (${falseMatches} of ${trials.impostor.length})`;
  reporter.add({ name: `${name}: similarity`, unit: 'cosine', value: similarity });
  reporter.add({ name: `${name}: true match rate`, unit: 'share', value: trueMatchRate });
}

function describeOperatingPoint(reporter: Reporter, detector: string, { genuine, impostor }: Trials): void {
  const target = { atMost: OPERATING_FALSE_MATCH_RATE };
  const name = `${detector}, at cosine ${OPERATING_SIMILARITY}`;
  const falseMatchRate = shareAtLeast(impostor, OPERATING_SIMILARITY);
  reporter.add({ name: `${name}: false match rate`, unit: 'share', value: falseMatchRate, target });
  reporter.add({
    name: `${name}: true match rate`,
    unit: 'share',
    value: shareAtLeast(genuine, OPERATING_SIMILARITY),
  });
}

/** Faces whose first embedding is farther from the threshold than this are spared the second (workers/beyond-doubt.ts). */
function describeMirrorShift(reporter: Reporter, detector: string, set: FaceSet, most?: number): void {
  const { shift, pairs } = largestMirrorShift(set, LEAST_SIMILARITY_THAT_MATTERS);
  reporter.add({
    name: `${detector}: most that the mirror image moves one of ${pairs} similarities above ${LEAST_SIMILARITY_THAT_MATTERS}`,
    unit: 'cosine',
    value: shift,
    target: most === undefined ? undefined : { atMost: most },
  });
}

/** The lowest threshold at which at most that share of the impostors is accepted. */
function thresholdAt(impostor: Float64Array, rate: number): { similarity: number; falseMatches: number } {
  const falseMatches = Math.floor(rate * impostor.length);
  const highestRefused = impostor[impostor.length - 1 - falseMatches]!;
  return { similarity: highestRefused + Number.EPSILON, falseMatches };
}

const shareAtLeast = (rising: Float64Array, threshold: number): number =>
  rising.filter((value) => value >= threshold).length / rising.length;
