/** Offers the media worker of this machine at an address, as mediasoup's releases do: `worker-release.ts <program>` prints the address. */
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname } from 'node:path';

const [program] = process.argv.slice(2);
if (program === undefined) throw new Error('expected the path of a media worker');
const release = execFileSync(
  'tar',
  ['--create', '--gzip', '--dereference', '--directory', dirname(program), basename(program)],
  { maxBuffer: 2 ** 30 },
);
const server = createServer((_req, res) => res.end(release));
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
