/** The steps of enhancement that only move data between a frame, the workspace and plain arrays. */

import { checkByteOrder, checkEvenWidth, checkPixels } from './checks.ts';
import { guidePlane } from './chroma-guide.ts';
import { bandRows, type EnhanceWorkspace } from './enhance-kernels.ts';
import type { BlockSpectra } from './noise-estimate.ts';
import type { Picture } from './picture.ts';
import type { ColourSamples } from './white-balance.ts';

/** What a sensor sent, rows without padding. */
export interface SensorFrame {
  readonly bytes: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly format: 'RGB565' | 'GRAYSCALE' | 'YUV422' | 'RGB888';
  readonly byteOrder: 'BE' | 'LE';
}

const bytesPerPixel = { RGB565: 2, GRAYSCALE: 1, YUV422: 2, RGB888: 3 } as const;

/** Frames beyond this are no camera's of this kind; the workspace takes some ten bytes a pixel. */
const maxFramePixels = 20_000_000;

export function checkFrame({ bytes, width, height, format, byteOrder }: SensorFrame): void {
  if (!Object.hasOwn(bytesPerPixel, format)) {
    throw new RangeError(
      `format: expected one of ${Object.keys(bytesPerPixel).join(', ')}, received ${format}`,
    );
  }
  checkByteOrder(byteOrder);
  if (format === 'YUV422') checkEvenWidth(width);
  checkPixels('bytes', bytes, width, height, bytesPerPixel[format]);
  if (width * height > maxFramePixels) {
    throw new RangeError(
      `width x height: expected at most ${maxFramePixels} pixels, received ${width} x ${height}`,
    );
  }
}

/**
 * Brings a frame into the workspace's planes, a band of rows at a time: what is copied in is still in the cache when it is split.
 * `table`: what each code becomes, where it does not stay what it is.
 */
export function readFrame(
  workspace: EnhanceWorkspace,
  { bytes, width, height, format, byteOrder }: SensorFrame,
  table: Uint8Array | null = null,
): void {
  const { kernels, planes, source, rgb, byteTable, target } = workspace;
  if (table) workspace.bytes.set(table, byteTable);
  const [s, d, e] = planes;
  const rowBytes = width * bytesPerPixel[format];
  for (let first = 0; first < height; first += bandRows) {
    const rows = Math.min(bandRows, height - first);
    const band = bytes.subarray(first * rowBytes, (first + rows) * rowBytes);
    const sBand = s.frame + first * s.stride;
    const dBand = d.frame + (first / 2) * d.stride;
    const eBand = e.frame + (first / 2) * d.stride;
    if (format === 'RGB565') {
      copyPadded(workspace, band, width, rows, 2, source);
      const bigEndian = byteOrder === 'BE' ? 1 : 0;
      if (table === null) {
        kernels.splitRgb565(source, s.width, bandRows, bigEndian, sBand, s.stride, dBand, eBand, d.stride);
        continue;
      }
      kernels.unpackRgb565(source, rgb, s.width * bandRows, bigEndian);
    } else if (format === 'RGB888') copyPadded(workspace, band, width, rows, 3, rgb);
    else {
      workspace.bytes.set(band, source);
      if (format === 'GRAYSCALE') kernels.unpackGrayscale(source, target, width * rows);
      else kernels.unpackYuv422(source, target, width * rows);
      const unpacked = workspace.bytes.subarray(target, target + width * rows * 3);
      copyPadded(workspace, unpacked, width, rows, 3, rgb);
    }
    if (table) kernels.mapBytes(rgb, s.width * bandRows * 3, byteTable);
    kernels.splitRgb888(rgb, s.width, bandRows, sBand, s.stride, dBand, eBand, d.stride);
  }
}

/** A band's rows to the workspace's width and `bandRows`, the last column and row repeated. */
function copyPadded(
  workspace: EnhanceWorkspace,
  bytes: Uint8Array,
  width: number,
  rows: number,
  pixelBytes: number,
  address: number,
): void {
  const memory = workspace.bytes;
  const rowBytes = width * pixelBytes;
  const paddedBytes = workspace.width * pixelBytes;
  if (rowBytes === paddedBytes) memory.set(bytes, address);
  else {
    for (let y = 0; y < rows; y++) {
      const row = address + y * paddedBytes;
      memory.set(bytes.subarray(y * rowBytes, (y + 1) * rowBytes), row);
      for (let i = rowBytes; i < paddedBytes; i++) memory[row + i] = memory[row + i - pixelBytes]!;
    }
  }
  const last = address + (rows - 1) * paddedBytes;
  for (let y = rows; y < bandRows; y++) {
    memory.copyWithin(address + y * paddedBytes, last, last + paddedBytes);
  }
}

export function padPlanes({ kernels, planes }: EnhanceWorkspace, which: 'frame' | 'denoised'): void {
  for (const plane of planes) kernels.padPlane(plane[which], plane.width, plane.height, plane.stride);
}

/** Blurs the denoised colour differences that often. */
export function blurChroma(workspace: EnhanceWorkspace, times: number): void {
  const [, d, e] = workspace.planes;
  for (let i = 0; i < times; i++) {
    for (const plane of [d, e]) {
      // The frame's own plane is not needed any more.
      workspace.kernels.smoothPlane(plane.denoised, plane.frame, plane.stride, plane.width, plane.height, 2);
      workspace.kernels.padPlane(plane.denoised, plane.width, plane.height, plane.stride);
    }
  }
}

/** Sharpens the denoised colour differences by that share of 1. */
export function sharpenChroma(workspace: EnhanceWorkspace, share: number): void {
  const [, d, e] = workspace.planes;
  const strength = Math.round(share * 32_768);
  for (const plane of [d, e]) {
    workspace.kernels.sharpenPlane(
      plane.denoised,
      plane.frame,
      plane.stride,
      plane.width,
      plane.height,
      strength,
    );
    workspace.kernels.padPlane(plane.denoised, plane.width, plane.height, plane.stride);
  }
}

/** Brightness of every block of the full plane's grid, [levelRows, levelColumns]; valid until the next frame. */
export function readLevels(workspace: EnhanceWorkspace): Uint8Array {
  const { kernels, planes, scratch, levels, levelColumns, levelRows } = workspace;
  const [s] = planes;
  kernels.cellSums(s.frame, s.stride, s.width, s.height, scratch, levels);
  return workspace.bytes.subarray(levels, levels + levelColumns * levelRows);
}

/** DCT blocks spread over one plane, with their brightness. */
export function sampleSpectra(
  workspace: EnhanceWorkspace,
  planeIndex: number,
  thresholds: Int16Array,
): BlockSpectra {
  const { kernels, spectra, levels, levelColumns, width } = workspace;
  const plane = workspace.planes[planeIndex]!;
  workspace.integers16(plane.thresholds, 72).set(thresholds);
  // About 600 blocks of S and 160 of D and E where the picture is large enough.
  const wanted = planeIndex === 0 ? 600 : 160;
  let step = 8;
  while ((plane.width / step) * (plane.height / step) > 1.2 * wanted) step += 8;
  const count = kernels.blockSpectra(
    plane.frame,
    plane.stride,
    plane.width,
    plane.height,
    step,
    plane.thresholds,
    workspace.weights,
    spectra,
    workspace.energies,
  );
  const blockLevels = new Uint8Array(count);
  // Block x of a plane is block (x / 4 + 1) of the grid of brightness; D and E are half as large.
  const scale = width / plane.width / 4;
  let block = 0;
  for (let y = 0; y + 8 <= plane.height; y += step) {
    for (let x = 0; x + 8 <= plane.width; x += step) {
      blockLevels[block++] = workspace.bytes[levels + (y * scale + 1) * levelColumns + x * scale + 1]!;
    }
  }
  return {
    count,
    coefficients: workspace.integers16(spectra, count * 64),
    energies: workspace.floats(workspace.energies, count),
    levels: blockLevels,
  };
}

/** Pixels of a picture spread evenly over it, some thousand, from its planes at `scale`. */
function samplePixels(
  workspace: EnhanceWorkspace,
  which: 'frame' | 'denoised',
  scale: number,
): ColourSamples {
  const [s, d, e] = workspace.planes.map((plane) =>
    workspace.integers16(plane[which], (plane.stride / 2) * plane.height),
  ) as [Int16Array, Int16Array, Int16Array];
  const { width, height, stride } = workspace.planes[1];
  const [full, half] = [workspace.planes[0].stride / 2, stride / 2];
  // One in 75, up to a bound.
  const wanted = Math.min(maxSampledPixels, (4 * width * height) / 75);
  const step = Math.max(1, Math.floor(Math.sqrt((width * height) / wanted)));
  const values = new Float32Array(3 * Math.ceil(width / step) * Math.ceil(height / step));
  let i = 0;
  for (let y = step >> 1; y < height; y += step) {
    for (let x = step >> 1; x < width; x += step, i += 3) {
      const mean = (s[2 * y * full + 2 * x]! / scale + 382) / 3;
      const blueYellow = d[y * half + x]! / scale / 4;
      const green = e[y * half + x]! / scale / 6;
      values[i] = limited(mean + blueYellow + green);
      values[i + 1] = limited(mean - 2 * green);
      values[i + 2] = limited(mean - blueYellow + green);
    }
  }
  return { count: i / 3, values };
}

const maxSampledPixels = 2048;
const limited = (value: number) => Math.min(255, Math.max(0, value));

/** Mean red, green and blue of the frame, relative to the mean of all three. */
export function channelRatios(workspace: EnhanceWorkspace): [number, number, number] {
  const { values } = frameSamples(workspace);
  const sums: [number, number, number] = [0, 0, 0];
  for (let i = 0; i < values.length; i++) sums[i % 3]! += values[i]!;
  const mean = Math.max(1, (sums[0] + sums[1] + sums[2]) / 3);
  return [Math.max(0.05, sums[0] / mean), Math.max(0.05, sums[1] / mean), Math.max(0.05, sums[2] / mean)];
}

/** Pixels of the frame as it was read. */
export const frameSamples = (workspace: EnhanceWorkspace) => samplePixels(workspace, 'frame', 1);

/** Pixels of the denoised picture. */
export const colourSamples = (workspace: EnhanceWorkspace) => samplePixels(workspace, 'denoised', 32);

/** The picture of the denoised planes, corrected, cut to the frame's size; in `data`, or in bytes of its own. */
export function composePicture(
  workspace: EnhanceWorkspace,
  block: Int16Array,
  width: number,
  height: number,
  data: Uint8Array = new Uint8Array(Buffer.allocUnsafeSlow(width * height * 3).buffer),
): Picture {
  const { kernels, planes, correction, slopes, scratch, target } = workspace;
  const [s, d, e] = planes;
  const guide = guidePlane(workspace);
  workspace.integers16(correction, block.length).set(block);
  const [rowBytes, paddedBytes] = [width * 3, s.width * 3];
  for (let first = 0; first < height; first += bandRows) {
    kernels.composePicture(
      s.denoised + first * s.stride,
      s.stride,
      d.denoised + (first / 2) * d.stride,
      e.denoised + (first / 2) * d.stride,
      guide + (first / 2) * d.stride,
      slopes + (first / bandRows) * (s.width / 16) * 4,
      d.stride,
      s.width,
      bandRows,
      correction,
      scratch,
      target,
    );
    const rows = Math.min(bandRows, height - first);
    if (rowBytes === paddedBytes) {
      data.set(workspace.bytes.subarray(target, target + rows * rowBytes), first * rowBytes);
      continue;
    }
    for (let y = 0; y < rows; y++) {
      const row = target + y * paddedBytes;
      data.set(workspace.bytes.subarray(row, row + rowBytes), (first + y) * rowBytes);
    }
  }
  return { width, height, data };
}
