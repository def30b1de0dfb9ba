/** A real Chromium for tests of the page, signed in to a server by the link that its start prints. */
import { existsSync } from 'node:fs';
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { RunningServer } from '../../server/start.ts';

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const executablePath = PLACES.find((path) => existsSync(path));

/** Why tests of the page are skipped here; false where there is a browser. */
export const noBrowser: string | false =
  executablePath === undefined ? `no Chromium at any of ${PLACES.join(', ')}` : false;

export interface TestBrowser {
  readonly context: BrowserContext;
  /** A new tab, at the address given: `/` without it. */
  open(path?: string): Promise<Page>;
  /** Seconds of processor time that all processes of the browser have taken so far. */
  cpuSeconds(): Promise<number>;
  /** What pages of this browser complained of so far: errors of scripts, refusals of the content security policy. */
  readonly complaints: string[];
  close(): Promise<void>;
}

export interface BrowserOptions
  extends Pick<
    BrowserContextOptions,
    'viewport' | 'colorScheme' | 'deviceScaleFactor' | 'reducedMotion' | 'hasTouch' | 'isMobile'
  > {
  readonly flags?: readonly string[];
  /** Whether the browser is signed in when it opens; yes unless said otherwise. */
  readonly signedIn?: boolean;
}

/** Opens a browser with a folder of its own; close it, or the test does not end. */
export async function openBrowser(
  server: Pick<RunningServer, 'signInLink'> & { readonly url: string },
  { flags = [], signedIn = true, ...options }: BrowserOptions = {},
): Promise<TestBrowser> {
  // With a folder of its own for what it keeps, which goes when it closes.
  const program = await chromium.launch({ executablePath, headless: true, args: [...FLAGS, ...flags] });
  const context = await program.newContext({
    viewport: { width: 1280, height: 800 },
    baseURL: server.url,
    serviceWorkers: 'block',
    ...options,
  });
  const complaints: string[] = [];
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('console', (message) => {
    const text = message.text();
    // Answers of 4xx are errors to the console, and what some tests are after.
    if (message.type() === 'error' && !text.startsWith('Failed to load resource')) complaints.push(text);
  });
  const browser: TestBrowser = {
    context,
    complaints,
    async open(path = '/') {
      const page = await context.newPage();
      await page.goto(path);
      return page;
    },
    async cpuSeconds() {
      const session = await program.newBrowserCDPSession();
      const { processInfo } = await session.send('SystemInfo.getProcessInfo');
      await session.detach();
      return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
    },
    close: () => program.close(),
  };
  if (signedIn) {
    const page = await browser.open(new URL(server.signInLink()).href.replace(/^http:\/\/[^/]+/, ''));
    await page.getByRole('link', { name: 'Wall' }).waitFor();
    await page.close();
  }
  return browser;
}
