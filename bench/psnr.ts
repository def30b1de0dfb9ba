/** Peak signal-to-noise ratio of 8-bit values, in decibels. */
export function psnr(picture: Uint8Array, wanted: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < picture.length; i++) squares += (picture[i]! - wanted[i]!) ** 2;
  return 10 * Math.log10((255 ** 2 * picture.length) / squares);
}
