/** YuNet's network alone, one thread, CPU: as its file stands, and with the heads merged, as the threads open it. */
import { readFile } from 'node:fs/promises';
import { createPixelKernels } from '../kernels/kernels.ts';
import { mergeYunetHeads } from '../models/build/yunet-heads.ts';
import { type DetectorModel, modelById } from '../models/manifest.ts';
import { CELL_SIZES_PX, cellsOf, scoreOf } from '../workers/detect/yunet-cells.ts';
import { createGraphOpener, type Graph, type GraphOutputs } from '../workers/session.ts';
import { type Reporter, ratioFigure, timeInterleaved, timingFigure, verify } from './harness.ts';
import { samplePhoto } from './sample-photos.ts';
import { findYunet, WITHOUT_YUNET } from './selections.ts';

export const title = 'milliseconds of YuNet for one input, one thread, CPU';

/** A board's frame: the second look and the first; a photo of 4:3. */
const INPUTS = [
  [160, 128],
  [320, 256],
  [512, 384],
] as const;
/** So many of each input that all take about the same time. */
const PIXELS_IN_ALL = 60e6;

export async function run(reporter: Reporter): Promise<void> {
  const yunet = await findYunet();
  if (yunet === null) return reporter.skip(WITHOUT_YUNET);
  const file = await readFile(yunet.detector.path!);
  const merged = mergeYunetHeads(file);
  verify(merged !== null, 'the heads could not be merged');
  const opener = await createGraphOpener('cpu');
  const graphs = [await opener.open('as it stands', file), await opener.open('merged', merged)];
  const kernels = await createPixelKernels('simd');
  const { layout } = modelById(yunet.detector.id) as DetectorModel;
  for (const [width, height] of INPUTS) {
    const photo = kernels.load(await samplePhoto(1, width, height));
    const tensor = new Float32Array(3 * width * height);
    const whole = { left: 0, top: 0, width, height };
    photo.letterbox(whole, { ...whole, tensorWidth: width, tensorHeight: height }, layout, tensor);
    const shape = [1, 3, height, width];
    const expected = factorsOf(await graphs[0]!.run(tensor, shape));
    const [plain, joined] = await timeInterleaved(
      graphs.map((graph) => contestant(graph, tensor, shape, expected)),
      { warmUps: 30, repeats: Math.round(PIXELS_IN_ALL / (width * height)) },
    );
    const name = `${width}x${height}`;
    reporter.add(timingFigure(`${name}, the file as it stands`, plain!));
    reporter.add(timingFigure(`${name}, heads merged`, joined!));
    reporter.add(ratioFigure(`${name}: faster with merged heads`, plain!, joined!));
  }
  for (const graph of graphs) await graph.release();
}

function contestant(
  graph: Graph,
  tensor: Float32Array,
  shape: readonly number[],
  expected: readonly number[],
) {
  let outputs: GraphOutputs | undefined;
  return {
    async body() {
      outputs = await graph.run(tensor, shape, outputs);
      return outputs;
    },
    check: (result: GraphOutputs) =>
      verify(
        factorsOf(result).every((factors, i) => Math.abs(factors - expected[i]!) < 1e-6),
        'scores differ',
      ),
  };
}

/** Class times objectness of every cell: their root would be ruled by how ONNX Runtime's sigmoid rounds what is almost nothing. */
function factorsOf(outputs: GraphOutputs): number[] {
  return CELL_SIZES_PX.flatMap((cellPx) => {
    const cells = cellsOf(outputs, cellPx);
    return Array.from({ length: cells.count }, (_, i) => scoreOf(cells, i) ** 2);
  });
}
