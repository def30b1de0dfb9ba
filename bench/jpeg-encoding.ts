/** The JPEG encoder against sharp (libjpeg-turbo) with the same options, and against its plain twin. */
import sharp from 'sharp';
import { createJpegEncoder } from '../kernels/jpeg-encoder.ts';
import { median, type Reporter, timeInterleaved, timeRepeats, timingFigure, verify } from './harness.ts';
import { psnr } from './psnr.ts';
import { samplePhoto } from './sample-photos.ts';

/** As boards' frames are stored. */
const quality = 90;

/** One thread here, and sharp with one of its own; processor time is that of all threads, where sharp has more at work. */
export async function jpegEncoding(reporter: Reporter): Promise<void> {
  const encoder = await createJpegEncoder('simd');
  const twin = await createJpegEncoder('reference');
  sharp.concurrency(1);
  sharp.cache(false);
  for (const [width, height] of [
    [320, 240],
    [640, 480],
    [1920, 1080],
  ] as const) {
    const photo = await samplePhoto(2, width, height);
    const byKernel = () => encoder.encode(photo, quality);
    const bySharp = () =>
      sharp(photo.data, { raw: { width, height, channels: 3 } })
        .jpeg({ quality, optimiseCoding: false })
        .toBuffer();
    const byTwin = () => twin.encode(photo, quality);
    const decibels = async (file: Uint8Array) => psnr(await sharp(file).raw().toBuffer(), photo.data);
    const [own, sharps] = [byKernel(), await bySharp()];
    verify(Math.abs(own.length / sharps.length - 1) < 0.03, "size of the JPEG, within 3 % of sharp's");
    verify((await decibels(own)) > (await decibels(sharps)) - 0.1, "decibels of the JPEG, sharp's less 0.1");
    const [kernel, library] = await timeInterleaved(
      [
        { body: byKernel, check: (file) => verify(Buffer.compare(file, own) === 0, 'bytes of the JPEG') },
        { body: bySharp, check: (file) => verify(Buffer.compare(file, sharps) === 0, 'bytes of sharp') },
      ],
      { warmUps: 60, repeats: width > 640 ? 51 : 201 },
    );
    const name = `JPEG ${width}x${height}, quality ${quality}`;
    reporter.add(timingFigure(name, kernel!));
    reporter.add(timingFigure(`${name}, sharp`, library!));
    if (width <= 640) {
      const same = (file: Uint8Array) => verify(Buffer.compare(file, own) === 0, "bytes of the twin's JPEG");
      reporter.add(timingFigure(`${name}, plain twin`, await timeRepeats(byTwin, same)));
    }
    const calls = Math.ceil(20_000_000 / (width * height));
    const [kernelMs, sharpMs] = [await processorMs(byKernel, calls), await processorMs(bySharp, calls)];
    reporter.add({ name: `${name}, processor time`, unit: 'ms', value: kernelMs });
    reporter.add({ name: `${name}, processor time of sharp`, unit: 'ms', value: sharpMs });
    reporter.add({
      name: `${name}, processor time: sharp / kernel`,
      unit: 'x',
      value: sharpMs / kernelMs,
      ...(width === 320 && { target: { atLeast: 3 } }),
    });
  }
}

/** Of one call, all threads of the process together; the median of seven rounds. */
async function processorMs(body: () => unknown, calls: number): Promise<number> {
  const roundsMs: number[] = [];
  for (let round = 0; round < 7; round++) {
    const start = process.cpuUsage();
    for (let call = 0; call < calls; call++) await body();
    const { user, system } = process.cpuUsage(start);
    roundsMs.push((user + system) / 1000 / calls);
  }
  return median(roundsMs);
}
