/** The pixel kernels on noisy frames, one thread: against the plain loop, a memory copy, and the promises. */
import { readFileSync } from 'node:fs';
import { createEnhancer } from '../kernels/enhance.ts';
import { unknownSensorState } from '../kernels/enhancement-report.ts';
import { FrameHistory } from '../kernels/frame-history.ts';
import { createPixelKernels } from '../kernels/kernels.ts';
import type { TensorLayout } from '../kernels/picture.ts';
import {
  median,
  type Reporter,
  spreadFigure,
  timeInterleaved,
  timeRepeats,
  timingFigure,
  verify,
} from './harness.ts';
import { jpegEncoding } from './jpeg-encoding.ts';
import { openOpenCv } from './peers/opencv.ts';
import { unpackRgb565 as unpackPlainly } from './peers/plain-frames.ts';
import { psnr } from './psnr.ts';
import { samplePhoto } from './sample-photos.ts';
import { type Capture, capture, plainCapture } from './simulated-sensor.ts';

export const title = 'milliseconds per call, one thread, noisy simulated captures';

const warm = { warmUps: 60, repeats: 201 };
const dimLight = { gain: 8, exposure: 0.4, illuminant: 'tungsten' } as const;
const layout: TensorLayout = { channels: 'BGR', mean: [104, 117, 123], scale: [1, 1, 1] };

export async function run(reporter: Reporter): Promise<void> {
  const kernels = await createPixelKernels('simd');
  const twin = await createPixelKernels('reference');
  const [width, height] = [640, 480];
  const photo = await samplePhoto(2, width, height);
  const made = capture(photo, { ...plainCapture, ...dimLight, mosaic: 'bayer' });
  const { bytes } = made;

  const expected = twin.unpackRgb565(bytes, width, height, 'BE').data;
  const same = (data: Uint8Array) => verify(Buffer.compare(data, expected) === 0, 'unpacked bytes');
  const [alone, simd, plain] = await timeInterleaved(
    [
      { body: unpackInPlace(bytes, width * height), check: same },
      { body: () => kernels.unpackRgb565(bytes, width, height, 'BE').data, check: same },
      { body: () => unpackPlainly(bytes, width * height), check: same },
    ],
    { warmUps: 20, repeats: 101 },
  );
  reporter.add(timingFigure('unpack RGB565 640x480, kernel alone in its memory', alone!));
  reporter.add(timingFigure('unpack RGB565 640x480, copies in and out included', simd!));
  reporter.add(timingFigure('the same in plain JavaScript', plain!));
  reporter.add({ name: 'plain JavaScript / all of it', unit: 'x', value: plain!.medianMs / simd!.medianMs });
  reporter.add({
    name: 'plain JavaScript / kernel alone',
    unit: 'x',
    value: plain!.medianMs / alone!.medianMs,
    target: { atLeast: 80 },
  });
  reporter.add({
    name: 'kernel alone',
    unit: 'Mpixel/s',
    value: (width * height) / alone!.medianMs / 1000,
  });

  const loaded = kernels.load(photo);
  const letterbox = async (
    name: string,
    size: readonly [number, number],
    inner: readonly [number, number],
  ) => {
    const target = new Float32Array(3 * size[0] * size[1]);
    const region = { left: 0, top: 0, width, height };
    const placement = {
      tensorWidth: size[0],
      tensorHeight: size[1],
      left: 0,
      top: 0,
      width: inner[0],
      height: inner[1],
    };
    const check = () => verify(Number.isFinite(target[target.length >> 2]!), 'tensor values');
    const timing = await timeRepeats(() => loaded.letterbox(region, placement, layout, target), check, warm);
    reporter.add(timingFigure(name, timing, { atMost: 1 }));
  };
  await letterbox('letterbox 640x480 into 640x480', [640, 480], [640, 480]);
  await letterbox('letterbox 640x480 into 512x512', [512, 512], [512, 384]);

  for (const scale of [1, 1.9, 3]) {
    const target = new Float32Array(3 * 150 * 150);
    const map = { a: scale * Math.cos(0.2), b: scale * Math.sin(0.2), tx: 90, ty: 10 };
    const check = () =>
      verify(
        target.some((value) => value > 0),
        'chip values',
      );
    const timing = await timeRepeats(() => loaded.chip(map, 150, layout, target), check, warm);
    reporter.add(
      timingFigure(`chip 150x150, ${scale} source pixels a step`, timing, scale === 1 ? { atMost: 0.5 } : {}),
    );
  }

  await enhancement(reporter);
  await jpegEncoding(reporter);
  await againstOpenCv(reporter, made, expected);
}

/** The kernel without the copies into and out of its memory; gives a view of the result. */
function unpackInPlace(bytes: Uint8Array, pixels: number): () => Uint8Array {
  const module = new WebAssembly.Module(readFileSync(new URL('../kernels/pixels.wasm', import.meta.url)));
  const { memory, unpackRgb565 } = new WebAssembly.Instance(module).exports as unknown as {
    memory: WebAssembly.Memory;
    unpackRgb565(source: number, target: number, pixels: number, bigEndian: number): void;
  };
  const source = 1024;
  const target = source + bytes.length + 1024;
  memory.grow(Math.ceil((target + 3 * pixels + 1024) / 65_536));
  new Uint8Array(memory.buffer).set(bytes, source);
  const result = new Uint8Array(memory.buffer, target, 3 * pixels);
  return () => {
    unpackRgb565(source, target, pixels, 1);
    return result;
  };
}

async function enhancement(reporter: Reporter): Promise<void> {
  const enhancer = await createEnhancer('simd');
  for (const [width, height, atMost] of [
    [640, 480, 3],
    [320, 240, 0.8],
    [1600, 1200, null],
  ] as const) {
    const photo = await samplePhoto(2, width, height);
    const captures = [1, 2].map((seed) => {
      const settings = { ...plainCapture, ...dimLight, mosaic: 'bayer', seed } as const;
      return { ...capture(photo, settings), format: 'RGB565', byteOrder: 'BE' } as const;
    });
    const check = (data: Uint8Array) => verify(data.length === 3 * width * height, 'size of the picture');
    const linear = {
      ...captures[0]!,
      ...capture(photo, { ...plainCapture, ...dimLight, mosaic: 'bayer', linear: true }),
    };
    const linearState = { ...unknownSensorState, gammaApplied: false };
    verify(enhancer.enhance(linear, linearState, null).report.gamma.applied, 'gamma of the linear frame');
    const history = new FrameHistory(width, height);
    let turn = 0;
    const [single, merged, fast, curved] = await timeInterleaved(
      [
        { body: () => enhancer.enhance(captures[0]!, unknownSensorState, null).picture.data, check },
        {
          body: () => enhancer.enhance(captures[turn++ % 2]!, unknownSensorState, history).picture.data,
          check,
        },
        {
          body: () =>
            enhancer.enhance(captures[0]!, unknownSensorState, null, 'corrected', 'wiener').picture.data,
          check,
        },
        { body: () => enhancer.enhance(linear, linearState, null).picture.data, check },
      ],
      { warmUps: 30, repeats: 101 },
    );
    const name = `enhance ${width}x${height}, estimation included`;
    reporter.add(timingFigure(name, single!, atMost === null ? undefined : { atMost }));
    reporter.add(timingFigure(`${name}, the cheap tier (ENHANCE=fast)`, fast!));
    reporter.add({
      name: `${name}: what merging over time adds`,
      unit: 'ms',
      value: merged!.medianMs - single!.medianMs,
    });
    reporter.add({
      name: `${name}: what a linear frame's gamma curve adds`,
      unit: 'ms',
      value: curved!.medianMs - single!.medianMs,
    });
  }
}

/** Strengths that fastNlMeansDenoisingColored is tried with: the best of them counts, which nobody in the field could choose. */
const strengths = [4, 8, 12, 16];

/** Rounds of calls in turn; what is compared is verified first. */
async function againstOpenCv(reporter: Reporter, made: Capture, plain: Uint8Array): Promise<void> {
  const { bytes, width, height } = made;
  const openCv = await openOpenCv(made, plain);
  if (openCv === null) {
    reporter.skip('OpenCV: no python3 here has cv2 (Debian: python3-opencv)');
    return;
  }
  try {
    const unpack = unpackInPlace(bytes, width * height);
    const enhancer = await createEnhancer('simd');
    const frame = { bytes, width, height, format: 'RGB565', byteOrder: 'BE' } as const;
    const enhance = () => enhancer.enhance(frame, unknownSensorState, null, 'captured').picture.data;
    await openCv.unpack(50);
    verify(onlyLowBitsDiffer(await openCv.unpacked(), plain), 'bytes that OpenCV unpacked');
    const [swapped, alone, denoised, enhanced]: [number[], number[], number[], number[]] = [[], [], [], []];
    let peerDecibels = Number.NEGATIVE_INFINITY;
    for (const strength of strengths) {
      swapped.push(median(await openCv.unpack(31)));
      alone.push((await timeRepeats(unpack, () => {}, { warmUps: 31, repeats: 31 })).medianMs);
      const { timeMs, decibels } = await openCv.denoise(strength);
      denoised.push(timeMs);
      peerDecibels = Math.max(peerDecibels, decibels);
      enhanced.push((await timeRepeats(enhance, () => {}, { warmUps: 31, repeats: 31 })).medianMs);
    }
    const ratios = (slower: number[], faster: number[]) => slower.map((timeMs, i) => timeMs / faster[i]!);
    reporter.note(`OpenCV ${openCv.version}, one thread, ${strengths.length} rounds in turn, the same frame`);
    reporter.add(spreadFigure('OpenCV, byte swap and cvtColor, 640x480', 'ms', swapped));
    reporter.add(
      spreadFigure('OpenCV / kernel alone, both in memory of their own', 'x', ratios(swapped, alone), {
        atLeast: 1.5,
      }),
    );
    reporter.add(spreadFigure('OpenCV, fastNlMeansDenoisingColored 7/21, 640x480', 'ms', denoised));
    reporter.add(
      spreadFigure('fastNlMeansDenoisingColored / enhancement', 'x', ratios(denoised, enhanced), {
        atLeast: 200,
      }),
    );
    reporter.add({
      name: 'denoising, decibels over the plain unpack: fastNlMeans at its best strength',
      unit: 'dB',
      value: peerDecibels - openCv.plainDecibels,
    });
    reporter.add({
      name: 'denoising, decibels over the plain unpack: enhancement',
      unit: 'dB',
      value: psnr(enhance(), made.noiseless) - openCv.plainDecibels,
      target: { atLeast: peerDecibels - openCv.plainDecibels },
    });
  } finally {
    await openCv.close();
  }
}

/** OpenCV cuts off where the exact unpack rounds: 5, 6 and 5 bits are the same. */
function onlyLowBitsDiffer(first: Uint8Array, second: Uint8Array): boolean {
  return first.length === second.length && first.every((value, i) => value >> 3 === second[i]! >> 3);
}
