// Pixels as vectors (r, g, b, anything) to normalised planar floats.

/** Where pixels go and how they are normalised: the parameter block that the caller fills in, 4-byte little-endian fields. */
// @ts-ignore: decorator
@unmanaged
export class Planes {
  /** Addresses of the planes of red, green and blue. */
  red: u32;
  green: u32;
  blue: u32;
  /** value = (byte - mean) x scale, per colour. */
  redMean: f32;
  greenMean: f32;
  blueMean: f32;
  redScale: f32;
  greenScale: f32;
  blueScale: f32;
}

// @ts-ignore: decorator
@inline export function normalised(v: v128, mean: v128, scale: v128): v128 {
  return f32x4.mul(f32x4.sub(v, mean), scale);
}

// Four pixels, transposed.
// @ts-ignore: decorator
@inline export function reds(p0: v128, p1: v128, p2: v128, p3: v128): v128 {
  return v128.shuffle<i32>(v128.shuffle<i32>(p0, p1, 0, 4, 1, 5), v128.shuffle<i32>(p2, p3, 0, 4, 1, 5), 0, 1, 4, 5);
}
// @ts-ignore: decorator
@inline export function greens(p0: v128, p1: v128, p2: v128, p3: v128): v128 {
  return v128.shuffle<i32>(v128.shuffle<i32>(p0, p1, 0, 4, 1, 5), v128.shuffle<i32>(p2, p3, 0, 4, 1, 5), 2, 3, 6, 7);
}
// @ts-ignore: decorator
@inline export function blues(p0: v128, p1: v128, p2: v128, p3: v128): v128 {
  return v128.shuffle<i32>(v128.shuffle<i32>(p0, p1, 2, 6, 3, 7), v128.shuffle<i32>(p2, p3, 2, 6, 3, 7), 0, 1, 4, 5);
}

/** `count` black pixels (byte 0, normalised) from element `index` on; writes nothing beyond them. */
export function storeBlack(planes: Planes, index: usize, count: usize): void {
  const r: f32 = (<f32>0 - planes.redMean) * planes.redScale;
  const g: f32 = (<f32>0 - planes.greenMean) * planes.greenScale;
  const b: f32 = (<f32>0 - planes.blueMean) * planes.blueScale;
  for (let i: usize = index << 2, end = (index + count) << 2; i < end; i += 4) {
    store<f32>(<usize>planes.red + i, r);
    store<f32>(<usize>planes.green + i, g);
    store<f32>(<usize>planes.blue + i, b);
  }
}
