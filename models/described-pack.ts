import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import { type CalibrationRow, OPERATING_SIMILARITY } from './calibration.ts';
import {
  ARCFACE_TEMPLATE,
  detectorModels,
  type EmbedderModel,
  embedderModels,
  landmarkModels,
} from './manifest.ts';
import { modelsFolder } from './place.ts';

const text = Type.String({ minLength: 1, maxLength: 500 });
const point = Type.Tuple([Type.Number(), Type.Number()]);
const rate = Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 });
const triple = Type.Tuple([Type.Number(), Type.Number(), Type.Number()]);
const strict = { additionalProperties: false };

/** The JSON file with which an owner describes a network of the ArcFace family; models/README.md has an example. */
const DescribedPackSchema = Type.Object(
  {
    id: Type.String({ pattern: '^[a-z0-9][a-z0-9.-]{2,63}$' }),
    title: text,
    licence: text,
    licenceNote: text,
    source: text,
    file: Type.Object(
      {
        fileName: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,120}\\.onnx$' }),
        sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
        sizeBytes: Type.Integer({ minimum: 1, maximum: 2_000_000_000 }),
        urls: Type.Optional(Type.Array(Type.String({ pattern: '^https://' }), { maxItems: 10 })),
      },
      strict,
    ),
    inputSizePx: Type.Integer({ minimum: 32, maximum: 512 }),
    layout: Type.Object(
      { channels: Type.Union([Type.Literal('RGB'), Type.Literal('BGR')]), mean: triple, scale: triple },
      strict,
    ),
    outputName: text,
    batch: Type.Boolean(),
    template: Type.Optional(Type.Tuple([point, point, point, point, point])),
    rawDimensions: Type.Integer({ minimum: 1, maximum: 512 }),
    calibration: Type.Object(
      {
        conditions: text,
        operatingFalseMatchRate: rate,
        rows: Type.Array(
          Type.Object(
            {
              falseMatchRate: rate,
              rawSimilarity: Type.Number({ minimum: -1, maximum: 1 }),
              trueMatchRate: Type.Number({ minimum: 0, maximum: 1 }),
              impostorTrials: Type.Integer({ minimum: 1 }),
              genuineTrials: Type.Integer({ minimum: 1 }),
            },
            strict,
          ),
          { minItems: 2, maxItems: 50 },
        ),
      },
      strict,
    ),
  },
  strict,
);

type Description = Static<typeof DescribedPackSchema>;

/** A description that is not what it has to be; the message names the file, the field and what was expected. */
export class DescriptionError extends Error {
  override readonly name = 'DescriptionError';
}

/** Every description in `<dataDir>/models`, in the order of their names; none where the folder is not there. */
export async function readDescribedPacks(dataDir: string): Promise<EmbedderModel[]> {
  const folder = modelsFolder(dataDir);
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new DescriptionError(`${folder} cannot be read: ${error.message}`);
  });
  const models: EmbedderModel[] = [];
  for (const name of names.filter((candidate) => candidate.endsWith('.json')).sort()) {
    const model = await readDescribedPack(join(folder, name));
    if (models.some(({ id }) => id === model.id)) {
      throw new DescriptionError(`${join(folder, name)}: id: ${model.id} is described by another file too`);
    }
    models.push(model);
  }
  return models;
}

/** @throws DescriptionError */
export async function readDescribedPack(path: string): Promise<EmbedderModel> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new DescriptionError(`${path}: expected a JSON file: ${(error as Error).message}`);
  }
  try {
    return describedEmbedder(content);
  } catch (error) {
    if (error instanceof DescriptionError) throw new DescriptionError(`${path}: ${error.message}`);
    throw error;
  }
}

/**
 * Checks a description and turns it into a model: its rows of raw cosines become rows of lifted ones, with the row of the operating
 * false match rate at 0.85.
 *
 * @throws DescriptionError
 */
export function describedEmbedder(content: unknown): EmbedderModel {
  if (!Value.Check(DescribedPackSchema, content)) {
    throw firstFault(content);
  }
  const { calibration, template, file, ...rest } = content;
  checkNames(content);
  const rows = liftRows(calibration);
  const operatingRow = calibration.rows.find(
    (row) => row.falseMatchRate === calibration.operatingFalseMatchRate,
  )!;
  return {
    ...rest,
    task: 'embedder',
    family: 'arcface',
    embedded: false,
    alignment: 'five-points',
    file: { ...file, urls: file.urls ?? [] },
    template: template ?? ARCFACE_TEMPLATE,
    lift: { kind: 'angular', rawSimilarity: operatingRow.rawSimilarity },
    calibration: {
      operatingPoint: rows.find((row) => row.similarity === OPERATING_SIMILARITY)!,
      rows,
      conditions: calibration.conditions,
    },
  };
}

function firstFault(content: unknown): DescriptionError {
  const [first] = Value.Errors(DescribedPackSchema, content);
  const path = first?.instancePath.split('/').slice(1) ?? [];
  const received = path.reduce<unknown>((value, key) => (value as Record<string, unknown>)?.[key], content);
  // An unknown field fails against the schema `false`, which has no better words of its own.
  const fault = first?.keyword === 'boolean' ? 'is no field of a description' : first?.message;
  const shown = JSON.stringify(received)?.slice(0, 80);
  return new DescriptionError(`${path.join('.') || 'the file'}: ${fault}; received ${shown}`);
}

function checkNames({ id, file }: Description): void {
  const ours = [...detectorModels, ...landmarkModels, ...embedderModels];
  if (ours.some((model) => model.id === id)) {
    throw new DescriptionError(`id: ${id} is a model of the manifest, choose another`);
  }
  if (ours.some((model) => model.file?.fileName === file.fileName)) {
    throw new DescriptionError(`file.fileName: ${file.fileName} belongs to a model of the manifest`);
  }
}

function liftRows({ rows, operatingFalseMatchRate }: Description['calibration']): CalibrationRow[] {
  for (const [index, row] of rows.entries()) {
    const previous = rows[index - 1];
    if (previous === undefined) continue;
    if (!(row.falseMatchRate < previous.falseMatchRate && row.rawSimilarity > previous.rawSimilarity)) {
      throw new DescriptionError(
        `calibration.rows.${index}: expected a lower falseMatchRate and a higher rawSimilarity than the row before`,
      );
    }
  }
  const operating = rows.find((row) => row.falseMatchRate === operatingFalseMatchRate);
  if (operating === undefined) {
    throw new DescriptionError(
      `calibration.operatingFalseMatchRate: expected the falseMatchRate of one of the rows, received ${operatingFalseMatchRate}`,
    );
  }
  if (operating.rawSimilarity >= OPERATING_SIMILARITY) {
    throw new DescriptionError(
      `calibration: expected a rawSimilarity below ${OPERATING_SIMILARITY} at the operating point, received ${operating.rawSimilarity}`,
    );
  }
  const squaredScale = (1 - OPERATING_SIMILARITY) / (1 - operating.rawSimilarity);
  return rows.map(({ rawSimilarity, ...row }) => ({
    ...row,
    similarity:
      row.falseMatchRate === operatingFalseMatchRate
        ? OPERATING_SIMILARITY
        : 1 - squaredScale * (1 - rawSimilarity),
  }));
}
