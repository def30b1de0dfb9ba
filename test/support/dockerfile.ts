/** What a Dockerfile says: its stages, each with its instructions, as much of the language as ours uses. */
export interface Instruction {
  readonly keyword: string;
  /** One line, continuations joined. */
  readonly text: string;
}

export interface Stage {
  readonly base: string;
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

const KEYWORDS =
  /^(FROM|RUN|COPY|ENV|WORKDIR|USER|VOLUME|EXPOSE|STOPSIGNAL|HEALTHCHECK|CMD|ENTRYPOINT|ARG|LABEL)\s+(.*)$/;

/**
 * @param given values of its arguments, as `--build-arg` gives them; the images and stages that it builds on are named by them
 * @throws {Error} for a line that is no instruction
 */
export function parseDockerfile(text: string, given: Readonly<Record<string, string>> = {}): Stage[] {
  const values = new Map<string, string>();
  const stages: { base: string; name: string; instructions: Instruction[] }[] = [];
  const lines = text.replace(/^\s*#.*\n/gm, '').replace(/\\\n\s*/g, '');
  for (const line of lines.split('\n').filter((line) => line.trim() !== '')) {
    const [, keyword, rest] = KEYWORDS.exec(line) ?? [];
    if (keyword === undefined || rest === undefined) throw new Error(`no instruction: ${line}`);
    if (keyword === 'FROM') {
      const [base, , name] = rest.replace(/\$\{(\w+)\}/g, (_, key) => values.get(key) ?? '').split(/\s+/);
      stages.push({ base: base!, name: name ?? String(stages.length), instructions: [] });
    } else if (keyword === 'ARG' && stages.length === 0) {
      const [key, usual = ''] = rest.split('=') as [string, string?];
      values.set(key, given[key] ?? usual);
    } else stages.at(-1)!.instructions.push({ keyword, text: rest });
  }
  return stages;
}

/** `--from=stage source... target`. */
export function parseCopy(text: string): { from: string | null; sources: string[]; target: string } {
  const words = text.split(/\s+/);
  const from = words[0]!.startsWith('--from=') ? words.shift()!.slice('--from='.length) : null;
  return { from, sources: words.slice(0, -1), target: words.at(-1)! };
}
