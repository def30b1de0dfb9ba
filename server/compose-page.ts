/** Builds what browsers see: the page, and the sign-in to it. */
import { join } from 'node:path';
import type { Closers } from './closers.ts';
import { type BrowserDetectorSource, createBrowserDetectors } from './dashboard/browser-detector.ts';
import { openPage, type Page } from './dashboard/bundle.ts';
import type { AccessControl } from './http/api-key.ts';
import type { BodyReader } from './http/body.ts';
import { createRateLimiter } from './http/rate-limit.ts';
import type { Context, Route } from './http/route.ts';
import { pageRoutes } from './http/routes/page.ts';
import { pageDetectorRoutes } from './http/routes/page-detector.ts';
import { signInRoutes } from './http/routes/sign-in.ts';
import type { SessionCookies } from './http/session-cookie.ts';
import { type Log, showsText } from './log.ts';
import type { Config } from './settings.ts';

export interface PageParts {
  readonly settings: Pick<Config, 'DATA_DIR' | 'SERVICE_NAME' | 'LOG_FORMAT'>;
  readonly version: string;
  readonly access: AccessControl;
  readonly cookies: SessionCookies;
  readonly bodies: BodyReader;
  readonly isTunnelled: (ctx: Context) => boolean;
  /** What others than browsers are told at `/`. */
  readonly greet: (ctx: Context) => void;
  readonly detectorInUse: BrowserDetectorSource['inUse'];
  readonly log: Log;
  readonly closers: Closers;
}

export interface ComposedPage {
  readonly routes: readonly Route[];
  /**
   * Builds the page where it is older than its sources, and tells people the link that signs them in.
   * @param urls of this server, the one that is always right last
   * @returns what makes a new link
   */
  open(urls: readonly string[], output: NodeJS.WritableStream): () => string;
}

/** Sign-ins a minute and client: nobody types faster, and nobody guesses a key at this pace. */
const MAX_ATTEMPTS = 10;
const ATTEMPTS_WINDOW_MS = 60_000;

export function composePage(parts: PageParts): ComposedPage {
  const { settings, access, cookies, bodies, log, closers } = parts;
  const folder = join(settings.DATA_DIR, 'page');
  let opened: Promise<Page> | null = null;

  function page(): Promise<Page> {
    if (opened !== null) return opened;
    const startedMs = performance.now();
    const opening = openPage(folder);
    opened = opening;
    opening.then(
      () => log.debug({ durationMs: Math.round(performance.now() - startedMs) }, 'the page is ready'),
      (error: unknown) => {
        log.error({ err: error }, 'the page could not be built');
        opened = null;
      },
    );
    return opening;
  }
  closers.add('page', async () => void (await opened?.catch(() => {})));

  const detectors = createBrowserDetectors({
    inUse: parts.detectorInUse,
    folder: join(settings.DATA_DIR, 'page-detector'),
  });
  closers.add('detector for browsers', detectors.close);

  return {
    routes: [
      ...signInRoutes({
        access,
        cookies,
        bodies,
        isTunnelled: parts.isTunnelled,
        attempts: createRateLimiter({ maxCalls: MAX_ATTEMPTS, windowMs: ATTEMPTS_WINDOW_MS }),
        serviceName: settings.SERVICE_NAME,
        version: parts.version,
        log,
      }),
      ...pageRoutes({ page, greet: parts.greet }),
      ...pageDetectorRoutes({
        detectors,
        workerUrl: async () => (await page()).scripts['detector-worker'],
      }),
    ],
    open(urls, output) {
      void page().catch(() => {});
      const signInLink = () => `${urls.at(-1)}/sign-in?once=${cookies.makeOnce()}`;
      if (showsText(settings.LOG_FORMAT, output))
        output.write(`The page, signed in at once (good one time, for 15 minutes): ${signInLink()}\n`);
      return signInLink;
    },
  };
}
