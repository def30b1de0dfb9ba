/** What axe-core finds wrong with a page for people who use a screen reader, a keyboard, or see badly. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';

interface AxeViolation {
  readonly id: string;
  readonly impact: string | null;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

const SERIOUS = ['serious', 'critical'];
const DESKTOP = { name: 'desktop, light', colorScheme: 'light', width: 1280, height: 800 } as const;
const PHONE = { name: 'phone, dark', colorScheme: 'dark', width: 360, height: 740 } as const;

/** The serious findings on a desktop in light and on a phone in dark colours, and whether the phone would have to scroll sideways. */
export async function seriousFindings(page: Page): Promise<string[]> {
  const source = await readFile(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
  const findings: string[] = [];
  for (const { name, colorScheme, width, height } of [PHONE, DESKTOP]) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height });
    const excessPx = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (excessPx > 0) findings.push(`${name}: ${excessPx} px too wide`);
    // Through the debugger, which the page's own policy on scripts does not bind.
    await page.evaluate(source);
    const violations = (await page.evaluate(
      'axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations)',
    )) as readonly AxeViolation[];
    for (const { id, impact, help, nodes } of violations)
      if (SERIOUS.includes(impact ?? ''))
        findings.push(`${name}: ${id}: ${help}: ${nodes.map(({ html }) => html).join(' | ')}`);
  }
  return findings;
}
