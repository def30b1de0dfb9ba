/** `node bench/readme-tables.ts`: writes the tables of README.md that are made from code, the settings among them. */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { settingsTable } from '../server/settings.ts';

const README = fileURLToPath(new URL('../README.md', import.meta.url));

/** Puts a text between `<!-- name -->` and `<!-- /name -->`. */
export function fillSection(readme: string, name: string, text: string): string {
  const open = `<!-- ${name} -->`;
  const close = `<!-- /${name} -->`;
  const start = readme.indexOf(open);
  const end = readme.indexOf(close);
  if (start === -1 || end < start) throw new Error(`README.md: expected ${open} and ${close}`);
  return `${readme.slice(0, start)}${open}\n${text.trim()}\n${readme.slice(end)}`;
}

if (import.meta.main) {
  const readme = await readFile(README, 'utf8');
  await writeFile(README, fillSection(readme, 'settings', settingsTable()));
}
