/** What the main thread asks of the thread that makes the files for detectors in browsers: types only. */

export interface DetectorFilesRequest {
  /** Where graphs and compressed files are kept; everything else in it is removed. */
  readonly folder: string;
  readonly sources: readonly DetectorFileSource[];
}

export interface DetectorFileSource {
  /** Plain: letters, digits and dashes. */
  readonly name: string;
  readonly extension: 'onnx' | 'wasm';
  /** The path of a file, or a graph to build. */
  readonly from: { readonly path: string } | { readonly graph: 'ssd-small-input' | 'face-landmark-68' };
}

export interface DetectorFile {
  /** As in the source. */
  readonly name: string;
  /** Holds the hash of the content. */
  readonly fileName: string;
  readonly path: string;
  readonly sizeBytes: number;
  /** The same in Brotli. */
  readonly brotliPath: string;
  readonly brotliBytes: number;
}
