/** `npm run models`: lists, fetches and verifies the files of the packs. */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { DescriptionError, readDescribedPacks } from './described-pack.ts';
import { fetchModel } from './fetch.ts';
import { ModelFetchError } from './fetch-error.ts';
import { detectorModels, embedderModels, landmarkModels, type Model, type ModelFile } from './manifest.ts';
import { modelPath, verifyModel } from './place.ts';

export const HELP = `Models of facepool: which there are, from where, under which licence.

  npm run models -- list                 every model, its licence, and whether its file is here and verified
  npm run models -- fetch <pack> ...     fetch a pack's file, check its SHA-256, put it into place
  npm run models -- verify [<pack> ...]  check the files that are here against their SHA-256

  --from <folder>      with fetch: copy the file from this folder, for machines without internet
  --data-dir <folder>  where models/ is kept; else DATA_DIR, else ./data
  --help               this text

A pack is named by its id or by the beginning of it: yunet for yunet-n. Packs of your own are described by a JSON file
in <data-dir>/models, see models/README.md. Exit code 0: done, 1: something failed, 2: the command was not understood.
`;

export interface Terminal {
  write(text: string): void;
  writeError(text: string): void;
  /** Whether a line may be written over, as progress does. */
  readonly interactive: boolean;
}

type ExitCode = 0 | 1 | 2;

type FiledModel = Model & { readonly file: ModelFile };

class UsageError extends Error {}

/**
 * @param args what stands after `npm run models --`
 * @param defaultDataDir where --data-dir is not given
 */
export async function runModelsCommand(
  args: readonly string[],
  defaultDataDir: string,
  terminal: Terminal,
): Promise<ExitCode> {
  try {
    const { values, positionals } = parse(args);
    const [command, ...names] = positionals;
    if (values.help || command === undefined) {
      terminal.write(HELP);
      return values.help ? 0 : 2;
    }
    const dataDir = values['data-dir'] ?? defaultDataDir;
    const models: Model[] = [
      ...detectorModels,
      ...landmarkModels,
      ...embedderModels,
      ...(await readDescribedPacks(dataDir)),
    ];
    if (command !== 'fetch' && values.from !== undefined) {
      throw new UsageError(`--from goes with fetch, not with ${command}`);
    }
    switch (command) {
      case 'list':
        if (names.length > 0) throw new UsageError('list takes no names');
        return await list(models, dataDir, terminal);
      case 'fetch':
        if (names.length === 0)
          throw new UsageError(`fetch: expected the name of a pack: ${packNames(models)}`);
        return await fetchPacks(selected(models, names), dataDir, values.from, terminal);
      case 'verify':
        return await verify(models, selected(models, names), dataDir, terminal);
      default:
        throw new UsageError(`expected list, fetch or verify; received ${command}`);
    }
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.writeError(`${error.message}\nnpm run models -- --help shows what may be asked.\n`);
      return 2;
    }
    if (error instanceof DescriptionError) {
      terminal.writeError(`${error.message}\n`);
      return 1;
    }
    throw error;
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        from: { type: 'string' },
        'data-dir': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

const filed = (models: readonly Model[]) =>
  models.filter((model): model is FiledModel => model.file !== null);

const packNames = (models: readonly Model[]) =>
  filed(models)
    .map((model) => model.id)
    .join(', ');

function selected(models: readonly Model[], names: readonly string[]): FiledModel[] {
  return names.map((name) => {
    const packs = filed(models);
    const candidates = packs.filter((model) => model.id.startsWith(name));
    const found = packs.find((model) => model.id === name) ?? candidates[0];
    if (found === undefined) {
      const embedded = models.some((model) => model.id === name);
      throw new UsageError(
        embedded
          ? `${name} is embedded: it is built from an npm package and needs no fetching`
          : `no pack is named ${name}; there are ${packNames(models)}`,
      );
    }
    if (found.id !== name && candidates.length > 1) {
      throw new UsageError(`${name} may be ${candidates.map((model) => model.id).join(' or ')}`);
    }
    return found;
  });
}

async function list(models: readonly Model[], dataDir: string, terminal: Terminal): Promise<ExitCode> {
  for (const model of models) {
    terminal.write(`${model.id}: ${model.title}\n`);
    terminal.write(`  ${model.task}; licence ${model.licence}: ${model.licenceNote}\n`);
    terminal.write(`  from ${model.source}\n`);
    if (model.file === null) {
      terminal.write('  embedded, always here\n');
    } else {
      const { state, message } = await verifyModel(modelPath(dataDir, model.file), model.file);
      const road = model.file.urls.length === 0 ? ', only with --from' : '';
      const here = state === 'missing' ? `not here; fetch ${model.id}${road}` : message;
      terminal.write(`  ${model.file.fileName}, ${formatSize(model.file.sizeBytes)}: ${here}\n`);
    }
  }
  return 0;
}

async function fetchPacks(
  packs: readonly FiledModel[],
  dataDir: string,
  from: string | undefined,
  terminal: Terminal,
): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  for (const pack of packs) {
    terminal.write(`${pack.id}: ${pack.title}\n`);
    terminal.write(`  licence ${pack.licence}: ${pack.licenceNote}\n`);
    terminal.write(`  from ${from ?? pack.source}, ${formatSize(pack.file.sizeBytes)}\n`);
    try {
      const { path, origin } = await fetchModel(pack.file, dataDir, {
        ...(from === undefined ? {} : { from }),
        onProgress({ receivedBytes, totalBytes }) {
          if (!terminal.interactive) return;
          const percent = Math.floor((100 * receivedBytes) / totalBytes);
          terminal.write(`\r  ${percent} % of ${formatSize(totalBytes)}${percent === 100 ? '\n' : ''}`);
        },
      });
      terminal.write(
        origin === null
          ? `  ${path} is here already and verified\n`
          : `  verified, SHA-256 ${pack.file.sha256}\n  ${path}\n`,
      );
    } catch (error) {
      if (!(error instanceof ModelFetchError)) throw error;
      terminal.writeError(`${terminal.interactive ? '\n' : ''}${pack.id}: ${error.message}\n`);
      exitCode = 1;
    }
  }
  return exitCode;
}

/** Without names: whatever is here must be right, and what is not here is no fault. */
async function verify(
  models: readonly Model[],
  named: readonly FiledModel[],
  dataDir: string,
  terminal: Terminal,
): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  for (const model of named.length > 0 ? named : filed(models)) {
    const { state, message } = await verifyModel(modelPath(dataDir, model.file), model.file);
    if (state === 'verified' || (state === 'missing' && named.length === 0)) {
      terminal.write(`${model.id}: ${message}\n`);
    } else {
      terminal.writeError(`${model.id}: ${message}; fetch it again\n`);
      exitCode = 1;
    }
  }
  return exitCode;
}

function formatSize(sizeBytes: number): string {
  if (sizeBytes < 1e6) return `${Math.ceil(sizeBytes / 1000)} kB`;
  return `${(sizeBytes / 1e6).toFixed(1)} MB`;
}

if (import.meta.main) {
  if (existsSync('.env')) process.loadEnvFile('.env');
  process.exitCode = await runModelsCommand(process.argv.slice(2), process.env.DATA_DIR ?? './data', {
    write: (text) => void process.stdout.write(text),
    writeError: (text) => void process.stderr.write(text),
    interactive: process.stdout.isTTY === true,
  });
}
