/** Peak signal-to-noise ratio of 8-bit values, in decibels. @throws RangeError unless both are equally long, and not empty */
export function psnr(picture: ArrayLike<number>, wanted: ArrayLike<number>): number {
  if (picture.length !== wanted.length || picture.length === 0)
    throw new RangeError(
      `pictures of one size were expected, received ${picture.length} and ${wanted.length} values`,
    );
  let squares = 0;
  for (let i = 0; i < picture.length; i++) squares += (picture[i]! - wanted[i]!) ** 2;
  return 10 * Math.log10((255 ** 2 * picture.length) / squares);
}
