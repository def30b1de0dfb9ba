/** Anchors per cell of each predicting map, and the map's side at the 512 x 512 pixels of the training. */
export const MAP_LEVELS = [
  { sidePx: 32, anchorsPerCell: 3 },
  { sidePx: 16, anchorsPerCell: 6 },
  { sidePx: 8, anchorsPerCell: 6 },
  { sidePx: 4, anchorsPerCell: 6 },
  { sidePx: 2, anchorsPerCell: 6 },
  { sidePx: 1, anchorsPerCell: 6 },
] as const;

const TRAINED_SIZE_PX = 512;

export interface Anchors {
  /** [n, 2] as (y, x), fractions of the input's height and width. */
  readonly centres: Float32Array;
  /** [n, 2] as (height, width), fractions of the same. */
  readonly sizes: Float32Array;
}

/**
 * The anchors of another input size. The trained table is a regular grid (its centres are those of the cells to 6e-8), so the sizes of
 * each level are read from its first cell and repeated, in pixels, over as many cells as the map has.
 *
 * @param table the trained anchors, [n, 4] as (top, left, bottom, right), fractions of 512 pixels
 * @param maps height and width of each level's map, finest first
 */
export function ssdAnchors(
  table: Float32Array,
  maps: readonly { readonly height: number; readonly width: number }[],
  inputWidth: number,
  inputHeight: number,
): Anchors {
  const count = maps.reduce(
    (sum, map, level) => sum + map.height * map.width * MAP_LEVELS[level]!.anchorsPerCell,
    0,
  );
  const centres = new Float32Array(2 * count);
  const sizes = new Float32Array(2 * count);
  let target = 0;
  let firstOfLevel = 0;
  for (const [level, { height, width }] of maps.entries()) {
    const { sidePx, anchorsPerCell } = MAP_LEVELS[level]!;
    const stridePx = TRAINED_SIZE_PX / sidePx;
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        for (let anchor = 0; anchor < anchorsPerCell; anchor++) {
          const source = 4 * (firstOfLevel + anchor);
          centres[target] = ((row + 0.5) * stridePx) / inputHeight;
          centres[target + 1] = ((column + 0.5) * stridePx) / inputWidth;
          sizes[target] = ((table[source + 2]! - table[source]!) * TRAINED_SIZE_PX) / inputHeight;
          sizes[target + 1] = ((table[source + 3]! - table[source + 1]!) * TRAINED_SIZE_PX) / inputWidth;
          target += 2;
        }
      }
    }
    firstOfLevel += sidePx * sidePx * anchorsPerCell;
  }
  return { centres, sizes };
}
