export type FetchErrorCode =
  | 'NO_SOURCE'
  | 'NOT_FOUND'
  | 'HTTP_STATUS'
  | 'INSECURE'
  | 'UNREACHABLE'
  | 'TIMEOUT'
  | 'CUT_OFF'
  | 'WRONG_SIZE'
  | 'WRONG_HASH'
  | 'SOURCE_UNREADABLE'
  | 'DISK_FULL'
  | 'NO_PERMISSION'
  | 'TARGET_UNWRITABLE';

/** Codes that are about this machine's disk: another address would meet the same. */
const FINAL_CODES: readonly FetchErrorCode[] = ['DISK_FULL', 'NO_PERMISSION', 'TARGET_UNWRITABLE'];

/** A model's file could not be brought here. The message says what happened and what to do; it may be shown. */
export class ModelFetchError extends Error {
  override readonly name = 'ModelFetchError';
  readonly code: FetchErrorCode;

  constructor(code: FetchErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }

  /** True where trying another address is pointless. */
  get isFinal(): boolean {
    return FINAL_CODES.includes(this.code);
  }
}

/** An error of the file system on the side that is written to. */
export function targetError(error: unknown, folder: string): ModelFetchError {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new ModelFetchError('DISK_FULL', `${folder}: the disk is full; make room and try again`, error);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new ModelFetchError(
        'NO_PERMISSION',
        `${folder}: no permission to write there (${code}); give this user the folder or choose another DATA_DIR`,
        error,
      );
    default:
      return new ModelFetchError('TARGET_UNWRITABLE', `${folder}: cannot be written: ${message}`, error);
  }
}

/** An error of the file system on the side that is read from, with --from. */
export function sourceError(error: unknown, path: string): ModelFetchError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new ModelFetchError(
      'NOT_FOUND',
      `${path} is not there; --from expects the folder that holds it`,
      error,
    );
  }
  return new ModelFetchError('SOURCE_UNREADABLE', `${path} cannot be read: ${message}`, error);
}
