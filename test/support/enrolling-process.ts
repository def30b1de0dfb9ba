/**
 * Enrols one person after another and removes every third again, until it is killed; says what was acknowledged, a line each.
 * Arguments: data folder, number of the first person.
 */
import { openDataFolder } from './open-data-folder.ts';
import { writtenPicture } from './written-pictures.ts';

const [folder, first] = process.argv.slice(2);
const { gallery } = await openDataFolder(folder!);
for (let person = Number(first); ; person++) {
  const name = `person ${person}`;
  const { fileName } = await gallery.enrol(name, writtenPicture({ person }));
  process.stdout.write(`enrolled ${person} ${fileName}\n`);
  if (person % 3 === 0) {
    process.stdout.write(`removing ${person}\n`);
    await gallery.remove(name);
    process.stdout.write(`removed ${person}\n`);
  }
}
