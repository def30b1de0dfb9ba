/** `node server/operations/dashboard.ts` writes the Grafana dashboard out of panels.ts. */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Panel, type Question, questions } from './panels.ts';

export const DASHBOARD_FILE = fileURLToPath(new URL('./grafana/dashboards/facepool.json', import.meta.url));

const COLUMNS = 24;
const PANEL_ROWS = 8;
const DATA_SOURCE = { type: 'prometheus', uid: 'facepool-prometheus' };

/** The dashboard as Grafana 10 and later read it. */
export function dashboardOf(all: readonly Question[]) {
  const panels: object[] = [];
  let y = 0;
  for (const { question, panels: its } of all) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title: question,
      collapsed: false,
      gridPos: { x: 0, y: y++, w: COLUMNS, h: 1 },
      panels: [],
    });
    let x = 0;
    for (const panel of its) {
      if (x + panel.width > COLUMNS) {
        x = 0;
        y += PANEL_ROWS;
      }
      panels.push({
        id: panels.length + 1,
        ...panelOf(panel),
        gridPos: { x, y, w: panel.width, h: PANEL_ROWS },
      });
      x += panel.width;
    }
    y += PANEL_ROWS;
  }
  return {
    uid: 'facepool',
    title: 'facepool',
    tags: ['facepool'],
    schemaVersion: 39,
    version: 1,
    refresh: '15s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    panels,
  };
}

function panelOf({ title, kind, unit, queries, alarmAt }: Panel) {
  const isTable = kind === 'table';
  return {
    type: kind,
    title,
    datasource: DATA_SOURCE,
    targets: queries.map(({ expr, legend }, i) => ({
      refId: String.fromCharCode(65 + i),
      datasource: DATA_SOURCE,
      expr,
      legendFormat: legend,
      ...(isTable ? { instant: true, format: 'table' } : {}),
      ...(kind === 'heatmap' ? { format: 'heatmap' } : {}),
    })),
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        ...(alarmAt === undefined
          ? {}
          : {
              thresholds: {
                mode: 'absolute',
                steps: [
                  { color: 'green', value: null },
                  { color: 'red', value: alarmAt },
                ],
              },
            }),
      },
      overrides: [],
    },
  };
}

if (import.meta.main) await writeFile(DASHBOARD_FILE, `${JSON.stringify(dashboardOf(questions), null, 2)}\n`);
