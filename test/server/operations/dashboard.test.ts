import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { DASHBOARD_FILE, dashboardOf } from '../../../server/operations/dashboard.ts';
import { questions } from '../../../server/operations/panels.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { makeFaceClip, PERSON_A, PERSON_A_AGAIN } from '../../support/clips.ts';
import { ffmpegOrReason } from '../../support/ffmpeg.ts';
import { makeH264Clip } from '../../support/h264-clip.ts';
import { findPrometheus, OPERATIONS, type Prometheus, startPrometheus } from '../../support/prometheus.ts';
import { RtspServer } from '../../support/rtsp-server.ts';
import { samplePath } from '../../support/samples.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { until } from '../../support/until.ts';

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly summary: string; readonly action: string };
}

const alerts = (
  parse(readFileSync(join(OPERATIONS, 'alerts.yml'), 'utf8')) as { groups: { rules: Alert[] }[] }
).groups.flatMap(({ rules }) => rules);
const expressions = [
  ...questions.flatMap(({ panels }) =>
    panels.flatMap(({ title, queries }) => queries.map(({ expr }) => ({ where: `panel ${title}`, expr }))),
  ),
  ...alerts.map(({ alert, expr }) => ({ where: `alert ${alert}`, expr })),
];

const metricsAsked = [
  ...new Set(
    expressions.flatMap(({ expr }) =>
      [...expr.matchAll(/\b(?:face|process|nodejs)_[a-z0-9_]+/g)].map(String),
    ),
  ),
].sort();

test('the dashboard file is the one that the panels make', () => {
  assert.deepEqual(JSON.parse(readFileSync(DASHBOARD_FILE, 'utf8')), dashboardOf(questions));
});

test('panels fill whole rows of the grid without lying on each other', () => {
  const { panels } = dashboardOf(questions);
  const taken = new Set<string>();
  for (const {
    gridPos: { x, y, w, h },
  } of panels as { gridPos: Record<'x' | 'y' | 'w' | 'h', number> }[]) {
    assert.ok(x + w <= 24);
    for (let column = x; column < x + w; column++)
      for (let row = y; row < y + h; row++) {
        assert.ok(!taken.has(`${column},${row}`), `two panels at ${column},${row}`);
        taken.add(`${column},${row}`);
      }
  }
});

test('the data source of the provisioning is the one that the panels ask', () => {
  const { datasources } = parse(
    readFileSync(join(OPERATIONS, 'grafana/provisioning/datasources/prometheus.yml'), 'utf8'),
  ) as { datasources: { uid: string }[] };
  const dashboard = readFileSync(DASHBOARD_FILE, 'utf8');
  for (const [, uid] of dashboard.matchAll(/"type": "prometheus",\s+"uid": "([^"]+)"/g))
    assert.equal(uid, datasources[0]!.uid);
});

test('every alert says what happened and what to do', () => {
  for (const { alert, annotations } of alerts) {
    assert.ok(annotations.summary.length > 10, alert);
    assert.match(annotations.action, /\.$/, alert);
  }
});

const { program, reason } = await ffmpegOrReason();
const skip = reason || (findPrometheus() === null && 'Prometheus is not installed (Debian: prometheus)');

describe('a Prometheus that scrapes a running server', { skip, timeout: 180_000 }, () => {
  let server: TestServer;
  let backend: Backend;
  let camera: RtspServer;
  let prometheus: Prometheus;
  before(async () => {
    const uploads = await mkdtemp(join(tmpdir(), 'facepool-test-uploads-'));
    const clip = await makeH264Clip(program!.path, {
      file: samplePath(PERSON_A.sample),
      width: 1280,
      height: 720,
      durationS: 2,
    });
    await makeFaceClip(program!.path, { path: join(uploads, 'a.mp4'), face: PERSON_A_AGAIN });
    [server, backend, camera] = await Promise.all([
      startTestServer({ UPLOADS_DIR: uploads }),
      startBackend(),
      RtspServer.start({ clip }),
    ]);
    prometheus = await startPrometheus(`127.0.0.1:${server.port}`, server.apiKey);
  });
  after(async () => {
    await prometheus?.stop();
    await server?.dispose();
    await camera?.close();
    await backend?.close();
    if (server) await rm(server.config.UPLOADS_DIR!, { recursive: true, force: true });
  });

  test('promtool finds nothing wrong with the alert rules', () => {
    execFileSync('promtool', ['check', 'rules', join(OPERATIONS, 'alerts.yml')]);
  });

  test('each query of the dashboard and of the alerts runs, and each metric in it has samples', async () => {
    await runSession();
    await until(async () => {
      const { data } = await prometheus.query('face_callbacks_total{outcome="delivered"} > 0');
      return data.result.length > 0;
    });
    assert.deepEqual(
      (await prometheus.targets()).map(({ health }) => health),
      ['up'],
    );
    for (const { where, expr } of expressions) {
      const answer = await prometheus.query(expr.replaceAll('$__rate_interval', '30s'));
      assert.equal(answer.status, 'success', `${where}: ${answer.error}`);
    }
    // Some come late: a camera's frame rate is known after a few of its frames.
    const missing = async () => {
      const names = await prometheus.names();
      return metricsAsked.filter((name) => !names.has(name));
    };
    for (let attempt = 0; attempt < 60 && (await missing()).length > 0; attempt++)
      await new Promise((resolve) => setTimeout(resolve, 500));
    assert.deepEqual(await missing(), []);
  });

  /** One camera, one student, one callback: the session goes on while Prometheus looks. */
  async function runSession(): Promise<void> {
    const post = async (path: string, body: object) => {
      const answer = await server.call(path, { method: 'POST', body: JSON.stringify(body) });
      assert.equal(answer.status, 200, await answer.clone().text());
      return (await answer.json()) as { data: { embeddingVector: number[] } };
    };
    const { data } = await post('/api/v1/embeddings/generate', {
      videoUrl: '/uploads/a.mp4',
      submissionId: 1,
    });
    await post('/api/v1/recognition/process-session', {
      slotId: 1,
      roomId: 1,
      students: [
        {
          userId: 1,
          fullName: 'Ada',
          rollNumber: 'A1',
          embeddingVector: data.embeddingVector,
          embeddingVersion: 1,
        },
      ],
      cameras: [{ id: 7, name: 'door', rtspUrl: camera.url() }],
      config: { similarityThreshold: 0.8, scanInterval: 1, callbackUrl: `${backend.url}/callback` },
    });
    await backend.until(() => backend.accepted.length > 0);
  }
});
