// The enhancement module: raw pictures to opponent planes, denoised planes, and back. The caller owns all of the memory.
export { unpackGrayscale } from './unpack-grayscale';
export { unpackRgb565 } from './unpack-rgb565';
export { unpackYuv422 } from './unpack-yuv422';
export { splitRgb888, splitRgb565 } from './opponent-planes';
export { mapBytes } from './map-bytes';
export { padPlane } from './pad-plane';
export { cellSums, noiseMap } from './noise-map';
export { blockSpectra } from './block-spectra';
export { guideSums, halvePlane } from './chroma-guide';
export { shrinkPlane } from './shrink';
export { cellChanges, mergePlane } from './merge-frames';
export { wienerPlane } from './wiener';
export { composePicture } from './compose';
export { sharpenPlane, smoothPlane } from './smooth-plane';
