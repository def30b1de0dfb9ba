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

/** @throws {Error} for a line that is no instruction */
export function parseDockerfile(text: string): Stage[] {
  const stages: { base: string; name: string; instructions: Instruction[] }[] = [];
  const lines = text.replace(/^\s*#.*\n/gm, '').replace(/\\\n\s*/g, '');
  for (const line of lines.split('\n').filter((line) => line.trim() !== '')) {
    const [, keyword, rest] = KEYWORDS.exec(line) ?? [];
    if (keyword === undefined || rest === undefined) throw new Error(`no instruction: ${line}`);
    if (keyword === 'FROM') {
      const [base, , name] = rest.split(/\s+/);
      stages.push({ base: base!, name: name ?? String(stages.length), instructions: [] });
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
