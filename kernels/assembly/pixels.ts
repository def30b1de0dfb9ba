// The pixel module: every kernel that works on pictures. No kernel keeps state; the caller owns all of the memory.

export { chip } from './chip';
export { blackenBorder, copyRows } from './crop';
export { halve } from './halve';
export { letterboxRows } from './letterbox';
export { luma, lumaSums } from './luma-statistics';
export { unpackGrayscale } from './unpack-grayscale';
export { unpackRgb565 } from './unpack-rgb565';
export { unpackYuv420 } from './unpack-yuv420';
export { unpackYuv422 } from './unpack-yuv422';
