/** The detector in the browser: what it loads, how soon it is ready, what a frame of the webcam costs. In Chromium, on this machine. */
import sharp from 'sharp';
import type { DetectorDescription, Provider } from '../server/dashboard/client/webcam/detector-protocol.ts';
import { noBrowser, openBrowser } from '../test/support/browser.ts';
import { lookInBrowser } from '../test/support/browser-detector.ts';
import { samplePath, YUNET_PATH } from '../test/support/samples.ts';
import { wholeNumber } from './command-line.ts';
import { type Reporter, spreadFigure, verify } from './harness.ts';
import { type OwnServerOptions, startOwnServer } from './own-server.ts';

export const title = 'the detector in the browser, a frame of 640x480 with one face';

const FACE = { left: 1280, top: 60, width: 600, height: 450 };

/** A GPU in software: a frame takes it half a minute, and that is enough to see that WebGPU finds the same faces. */
const SOFTWARE_GPU = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-unsafe-swiftshader',
];

/** `--provider webgpu` runs on a GPU in software where there is no other; without it the page chooses. */
export async function run(reporter: Reporter, options: Readonly<Record<string, string>>): Promise<void> {
  const provider = options.provider as Provider | undefined;
  const repeats = wholeNumber(options, 'repeats', provider === 'webgpu' ? 3 : 30, 1, 1000);
  if (noBrowser) return reporter.note(noBrowser);
  const frame = await sharp(samplePath(1)).extract(FACE).resize(640, 480).png().toBuffer();
  for (const [label, settings, modelPaths] of [
    ['SSD', { DETECTOR: 'ssd' }, []],
    ['YuNet', { DETECTOR: 'yunet' }, YUNET_PATH === null ? null : [YUNET_PATH]],
  ] as const) {
    if (modelPaths === null) reporter.note(`${label}: its file is not beside the project`);
    else await measure(reporter, label, { settings, modelPaths }, frame, { repeats, provider });
  }
}

async function measure(
  reporter: Reporter,
  label: string,
  serverOptions: OwnServerOptions,
  frame: Buffer,
  { repeats, provider }: { readonly repeats: number; readonly provider: Provider | undefined },
): Promise<void> {
  const server = await startOwnServer(serverOptions);
  const warmUps = Math.min(5, repeats);
  try {
    const startMs = performance.now();
    const headers = { 'X-API-Key': server.apiKey };
    const response = await fetch(`${server.url}/api/v1/page/detector`, { headers });
    const description = (await response.json()) as DetectorDescription;
    const single = (name: string, unit: string, value: number) =>
      reporter.add({ name: `${label}: ${name}`, unit, value });
    single('files made, once per installation', 'ms', performance.now() - startMs);

    const browser = await openBrowser(server, { flags: provider === 'webgpu' ? SOFTWARE_GPU : [] });
    try {
      const page = await browser.open();
      const first = await lookInBrowser(page, description, frame, warmUps + repeats, provider);
      reporter.note(`${label}: ${first.provider}${first.whyNotWebgpu ? ` (${first.whyNotWebgpu})` : ''}`);
      const runtime = first.provider === 'webgpu' ? description.runtimes.webgpu : description.runtimes.wasm;
      const { detector, landmarks } = description;
      single('ONNX Runtime, as sent', 'kB', runtime.compressedBytes / 1000);
      single('graphs, as sent', 'kB', (detector.compressedBytes + landmarks.compressedBytes) / 1000);
      single('ready after', 'ms', first.openMs);
      const looks = first.looks.slice(warmUps);
      for (const { faces } of looks) verify(faces.length === 1, `${faces.length} faces, expected one`);
      const of = (name: string, value: (look: (typeof looks)[number]) => number) =>
        reporter.add(spreadFigure(`${label}: ${name}`, 'ms', looks.map(value)));
      of('a frame, as the page waits for it', ({ waitedMs }) => waitedMs);
      of('of that reading pixels', ({ timings }) => timings.readMs);
      of('of that detection', ({ timings }) => timings.detectMs);
      of('of that landmarks and measures', ({ timings }) => timings.assessMs);
      const again = await lookInBrowser(page, description, frame, 1, provider);
      single('ready after, from the cache', 'ms', again.openMs);
    } finally {
      await browser.close();
    }
  } finally {
    await server.dispose();
  }
}
