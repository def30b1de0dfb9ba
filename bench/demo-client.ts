/** The few calls that the demo makes: over HTTP, like anybody else. */
import type { Box } from '../workers/protocol.ts';

export interface SeenFace {
  readonly box: Box;
  readonly recognizedAs: string | null;
  readonly similarity: number | null;
}

export interface DemoClient {
  recognise(jpeg: Buffer): Promise<SeenFace[]>;
  /** JPEG with boxes, points and names. */
  annotate(jpeg: Buffer): Promise<Buffer>;
  /** @returns null, or the server's own words why it refuses the picture */
  enrol(name: string, jpeg: Buffer): Promise<string | null>;
}

export function createDemoClient(url: string, apiKey: string): DemoClient {
  async function post(path: string, jpeg: Buffer, name?: string): Promise<Response> {
    const form = new FormData();
    if (name !== undefined) form.set('name', name);
    form.set('image', new Blob([new Uint8Array(jpeg)], { type: 'image/jpeg' }), 'photo.jpg');
    return fetch(url + path, { method: 'POST', body: form, headers: { 'X-API-Key': apiKey } });
  }

  async function expectOk(response: Response): Promise<Response> {
    if (!response.ok) throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
    return response;
  }

  return {
    async recognise(jpeg) {
      const response = await expectOk(await post('/api/v1/recognize', jpeg));
      return ((await response.json()) as { faces: SeenFace[] }).faces;
    },
    async annotate(jpeg) {
      const response = await expectOk(await post('/api/v1/recognize?annotate=1', jpeg));
      return Buffer.from(await response.arrayBuffer());
    },
    async enrol(name, jpeg) {
      const response = await post('/api/v1/recognition/add-permitted-face', jpeg, name);
      if (response.status === 422) return ((await response.json()) as { error: string }).error;
      await expectOk(response);
      return null;
    },
  };
}
