/** `npm run demo`: enrols the people of six sample photos, finds them again in altered copies, and shows what it found. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { readSample } from '../test/support/samples.ts';
import type { Box, Point } from '../workers/protocol.ts';
import { createDemoClient, type DemoClient, type SeenFace } from './demo-client.ts';
import { ALTERATIONS, contactSheet, cutOut, type Photo, readPhoto } from './demo-photos.ts';
import { startOwnServer } from './own-server.ts';
import { findYunet, PROJECT_FOLDER } from './selections.ts';

const OUTPUT_FOLDER = join(PROJECT_FOLDER, 'demo-out');
const PHOTOS = 6;
const NARROWEST_COLUMNS = 40;
const COLUMN_CHARACTERS = 7;

interface Person {
  readonly box: Box;
  /** What the server should say; null for somebody whose picture it refused. */
  readonly name: string | null;
  /** Nobody has told who is on these photos: a face that was taken for somebody of another photo may be rightly so, or a mistake. */
  readonly doubtful: boolean;
}

interface Tally {
  faces: number;
  found: number;
  right: number;
  wrong: number;
  unknown: number;
  doubtful: number;
  strangers: number;
  strangersNamed: number;
}

say('facepool demo: the whole server, in a folder that goes away again\n');
const started = performance.now();
const yunet = await findYunet();
const server = await startOwnServer({ modelPaths: yunet ? [yunet.detector.path!] : [] });
try {
  const { detector, embedder, provider, threads } = server.recognizer.status;
  say(`Ready after ${seconds(started)} at ${server.url}`);
  say(`${detector} and ${embedder} on ${threads} threads of the ${provider.inUse.toUpperCase()}\n`);
  await demonstrate(createDemoClient(server.url, server.apiKey));
} finally {
  await server.dispose();
}
say(`\nDone after ${seconds(started)}; the server has stopped.`);

async function demonstrate(client: DemoClient): Promise<void> {
  say('1. Enrolling the people of six sample photos, cut out, and named by photo and place');
  const photos: { photo: Photo; people: Person[] }[] = [];
  for (let number = 1; number <= PHOTOS; number++) {
    const photo = await readPhoto(await readSample(number));
    photos.push({ photo, people: await enrolPeople(client, photo, number) });
  }

  say('\n2. Recognising them in altered copies: right names of those enrolled');
  for (const { name, description } of ALTERATIONS) say(`   ${name.padEnd(8)}${description}`);
  say('');
  say(`   photo  ${ALTERATIONS.map(({ name }) => name.padStart(COLUMN_CHARACTERS)).join('')}`);
  const tally: Tally = {
    faces: 0,
    found: 0,
    right: 0,
    wrong: 0,
    unknown: 0,
    doubtful: 0,
    strangers: 0,
    strangersNamed: 0,
  };
  const drawn: { name: string; jpeg: Buffer }[] = [];
  for (const [i, { photo, people }] of photos.entries()) {
    process.stdout.write(`   ${`Photo ${i + 1}`.padEnd(7)}`);
    for (const [j, alteration] of ALTERATIONS.entries()) {
      const copy = await alteration.apply(photo);
      const mapped = people.map((person) => ({ ...person, centre: copy.mapPoint(centreOf(person.box)) }));
      const right = countRight(mapped, await client.recognise(copy.jpeg), tally);
      const enrolled = people.filter(({ name }) => name !== null).length;
      process.stdout.write(`${right}/${enrolled}`.padStart(COLUMN_CHARACTERS));
      // Each photo shows another alteration.
      if (i % ALTERATIONS.length === j)
        drawn.push({ name: `photo-${i + 1}-${alteration.name}.jpg`, jpeg: await client.annotate(copy.jpeg) });
    }
    process.stdout.write('\n');
  }
  tell(tally);
  await writePictures(drawn);
}

async function enrolPeople(client: DemoClient, photo: Photo, number: number): Promise<Person[]> {
  const faces = (await client.recognise(photo.jpeg)).sort((first, second) => first.box.x - second.box.x);
  say(`   Photo ${number}: ${faces.length} faces`);
  const people: Person[] = [];
  for (const [i, face] of faces.entries()) {
    const place = placeOf(i, faces.length);
    if (face.recognizedAs !== null) {
      say(`     ${place}: taken for "${face.recognizedAs}", similarity ${face.similarity?.toFixed(2)}`);
      people.push({ box: face.box, name: null, doubtful: true });
      continue;
    }
    const name = `${number} ${place}`;
    const others = faces.filter((other) => other !== face).map((other) => other.box);
    const refusal = await client.enrol(name, await cutOut(photo, face.box, others));
    say(`     ${place}: ${refusal === null ? `enrolled as "${name}"` : `refused: ${refusal}`}`);
    people.push({ box: face.box, name: refusal === null ? name : null, doubtful: false });
  }
  return people;
}

interface Expected extends Person {
  /** In the copy. */
  readonly centre: Point;
}

function countRight(expected: readonly Expected[], seen: readonly SeenFace[], tally: Tally): number {
  let right = 0;
  for (const { name, doubtful, centre } of expected) {
    tally.faces++;
    const face = seen.find(({ box }) => contains(box, centre));
    if (face === undefined) continue;
    tally.found++;
    if (doubtful) {
      tally.doubtful++;
    } else if (name === null) {
      tally.strangers++;
      if (face.recognizedAs !== null) tally.strangersNamed++;
    } else if (face.recognizedAs === name) {
      right++;
    } else if (face.recognizedAs === null) {
      tally.unknown++;
    } else {
      tally.wrong++;
    }
  }
  tally.right += right;
  return right;
}

function tell(tally: Tally): void {
  const { faces, found, right, wrong, unknown, doubtful, strangers, strangersNamed } = tally;
  say(`\n   Of ${faces} faces in these copies ${found} were found:`);
  say(
    `     ${right + wrong + unknown} of enrolled people: ${right} right, ${wrong} wrong, ${unknown} unknown`,
  );
  if (strangers > 0) say(`     ${strangers} of people who were refused: ${strangersNamed} got a name`);
  if (doubtful > 0)
    say(
      `     ${doubtful} of those taken for somebody of another photo: in no count, as nobody has told who is on these photos`,
    );
  say(
    '   These are copies of the very photos that were enrolled: they show that the parts work together, and nothing about accuracy. The measured error rates are in models/README.md.',
  );
}

async function writePictures(drawn: readonly { name: string; jpeg: Buffer }[]): Promise<void> {
  say('\n3. What the server drew');
  await mkdir(OUTPUT_FOLDER, { recursive: true });
  const sheet = {
    name: 'all.jpg',
    jpeg: await contactSheet(
      drawn.map(({ jpeg }) => jpeg),
      2,
    ),
  };
  for (const { name, jpeg } of [...drawn, sheet]) {
    const path = join(OUTPUT_FOLDER, name);
    await writeFile(path, jpeg);
    say(`   ${relative(process.cwd(), path)}`);
  }
}

function placeOf(index: number, count: number): string {
  const places: Readonly<Record<number, readonly string[]>> = {
    1: ['alone'],
    2: ['left', 'right'],
    3: ['left', 'middle', 'right'],
    4: ['left', 'mid-left', 'mid-right', 'right'],
    5: ['left', 'mid-left', 'middle', 'mid-right', 'right'],
  };
  return places[count]?.[index] ?? `${index + 1} of ${count} from the left`;
}

function centreOf({ x, y, width, height }: Box): Point {
  return [x + width / 2, y + height / 2];
}

function contains({ x, y, width, height }: Box, [pointX, pointY]: Point): boolean {
  return pointX >= x && pointX <= x + width && pointY >= y && pointY <= y + height;
}

function seconds(sinceMs: number): string {
  return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
}

/** Breaks long lines between words, further ones indented as the first. */
function say(text: string): void {
  const columns = Math.max(NARROWEST_COLUMNS, process.stdout.columns ?? 80);
  for (const line of text.split('\n')) console.log(wrap(line, columns));
}

function wrap(line: string, columns: number): string {
  const indent = /^ */.exec(line)![0];
  const lines: string[] = [];
  let current = indent;
  for (const word of line.slice(indent.length).split(' ')) {
    if (current.length > indent.length && current.length + 1 + word.length > columns) {
      lines.push(current);
      current = `${indent}  ${word}`;
    } else {
      current += current.length > indent.length ? ` ${word}` : word;
    }
  }
  return [...lines, current].join('\n');
}
