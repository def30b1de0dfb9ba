/** What the Grafana dashboard asks Prometheus, by the question that an operator has. */

export type Unit = 's' | 'bytes' | 'ops' | 'percentunit' | 'short' | 'none';

export interface PanelQuery {
  readonly expr: string;
  /** As Grafana writes it: `{{label}}`. */
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  readonly kind: 'timeseries' | 'stat' | 'table' | 'heatmap';
  readonly unit: Unit;
  readonly queries: readonly PanelQuery[];
  /** Of the 24 columns. */
  readonly width: number;
  /** At and above it the value is shown in red. */
  readonly alarmAt?: number;
}

export interface Question {
  readonly question: string;
  readonly panels: readonly Panel[];
}

const rate = (metric: string, by: string) => `sum by (${by}) (rate(${metric}[$__rate_interval]))`;
const quantile = (share: number, metric: string, by?: string) =>
  `histogram_quantile(${share}, sum by (${by === undefined ? 'le' : `le, ${by}`}) (rate(${metric}_bucket[$__rate_interval])))`;
type Expressions = readonly (readonly [expr: string, legend: string])[];

const panel =
  (kind: Panel['kind']) =>
  (
    title: string,
    unit: Unit,
    width: number,
    queries: Expressions,
    options: Pick<Panel, 'alarmAt'> = {},
  ): Panel => ({
    title,
    kind,
    unit,
    width,
    queries: queries.map(([expr, legend]) => ({ expr, legend })),
    ...options,
  });
const timeseries = panel('timeseries');
const stat = panel('stat');
const table = panel('table');
const heatmap = panel('heatmap');

export const questions: readonly Question[] = [
  {
    question: 'Does it keep up?',
    panels: [
      timeseries('Pictures looked at', 'ops', 8, [[rate('face_recognitions_total', 'result'), '{{result}}']]),
      timeseries('Frames of boards', 'ops', 8, [
        [rate('face_device_frames_total', 'outcome'), '{{outcome}}'],
      ]),
      timeseries('Threads', 'short', 8, [['sum by (state) (face_worker_threads)', '{{state}}']]),
      timeseries('Pictures that wait', 'short', 8, [['face_inference_queue_depth', 'waiting']]),
      timeseries('Wait in the queue', 's', 8, [
        [quantile(0.5, 'face_queue_wait_seconds'), 'median'],
        [quantile(0.99, 'face_queue_wait_seconds'), '99 %'],
      ]),
      timeseries('Dropped work', 'ops', 8, [
        [`${rate('face_queue_drops_total', 'queue, reason')} > 0`, '{{queue}}: {{reason}}'],
      ]),
      timeseries('Processor', 'percentunit', 8, [
        ['rate(process_cpu_seconds_total[$__rate_interval])', 'cores in use'],
      ]),
      timeseries('Memory', 'bytes', 8, [
        ['process_resident_memory_bytes', 'resident'],
        ['nodejs_heap_size_used_bytes', 'heap of the main thread'],
        ['face_http_body_bytes', 'bodies being received'],
      ]),
      timeseries('Main thread held up, 99 %', 's', 8, [['nodejs_eventloop_lag_p99_seconds', 'lag']], {
        alarmAt: 0.2,
      }),
    ],
  },
  {
    question: 'Which camera is ill?',
    panels: [
      timeseries('Cameras by state', 'short', 8, [['sum by (state) (face_cameras)', '{{state}}']]),
      table('No frames from', 'none', 8, [['face_camera_up == 0', '{{camera}}']]),
      timeseries('Age of the last frame', 's', 8, [
        ['topk(10, face_camera_last_frame_age_seconds)', '{{camera}}'],
      ]),
      table('Failures within an hour', 'short', 8, [
        ['topk(20, increase(face_camera_failures_total[1h])) > 0', '{{camera}}'],
      ]),
      timeseries('Frames of cameras', 'ops', 8, [
        ['topk(10, rate(face_camera_frames_total[$__rate_interval]))', '{{camera}}'],
      ]),
      timeseries('Garbled frames', 'ops', 8, [
        ['topk(10, rate(face_camera_garbled_frames_total[$__rate_interval]))', '{{camera}}'],
      ]),
      timeseries('Boards', 'short', 8, [['sum by (state) (face_devices)', '{{state}}']]),
      timeseries('Frame rate as sent', 'short', 8, [['topk(10, face_camera_frame_rate)', '{{camera}}']]),
      timeseries('Viewers', 'short', 8, [['sum by (by) (face_live_viewers)', '{{by}}']]),
      timeseries('Transcoded cameras', 'short', 8, [['face_live_transcoded_cameras', 'cameras']]),
      timeseries('Media workers replaced', 'short', 8, [
        ['increase(face_media_worker_restarts_total[1h])', 'times'],
      ]),
      timeseries('Sessions', 'short', 8, [
        ['face_sessions_active', 'sessions'],
        ['sum by (state) (face_session_cameras)', 'cameras {{state}}'],
      ]),
    ],
  },
  {
    question: 'How sure are the recognitions?',
    panels: [
      heatmap('Similarity of enrolled people', 'none', 8, [
        ['sum by (le) (increase(face_gallery_similarity_bucket[$__rate_interval]))', '{{le}}'],
      ]),
      heatmap('Similarity of students', 'none', 8, [
        ['sum by (le) (increase(face_session_similarity_bucket[$__rate_interval]))', '{{le}}'],
      ]),
      timeseries('Faces of sessions', 'ops', 8, [
        [rate('face_session_faces_total', 'outcome'), '{{outcome}}'],
      ]),
      timeseries('Median similarity', 'none', 8, [
        [quantile(0.5, 'face_gallery_similarity', 'result'), 'enrolled people: {{result}}'],
        [quantile(0.5, 'face_session_similarity'), 'students'],
      ]),
      timeseries('Odd vectors of students', 'short', 8, [
        ['sum by (code) (increase(face_session_warnings_total[1h]))', '{{code}}'],
      ]),
      stat('Enrolled', 'short', 8, [
        ['face_gallery_persons', 'people'],
        ['face_gallery_pictures', 'pictures'],
      ]),
    ],
  },
  {
    question: 'What is slow?',
    panels: [
      timeseries('Stages, median', 's', 12, [
        [quantile(0.5, 'face_stage_duration_seconds', 'stage'), '{{stage}}'],
      ]),
      timeseries('Stages, 99 %', 's', 12, [
        [quantile(0.99, 'face_stage_duration_seconds', 'stage'), '{{stage}}'],
      ]),
      timeseries('Requests, 95 %', 's', 12, [
        [`topk(10, ${quantile(0.95, 'face_http_request_duration_seconds', 'route')})`, '{{route}}'],
      ]),
      timeseries('Database, 99 %', 's', 6, [
        [quantile(0.99, 'face_database_call_duration_seconds', 'kind'), '{{kind}}'],
      ]),
      timeseries('Backend, 95 %', 's', 6, [
        [quantile(0.95, 'face_callback_duration_seconds', 'outcome'), '{{outcome}}'],
      ]),
      timeseries('Frame of a camera to its result, 95 %', 's', 12, [
        [quantile(0.95, 'face_session_scan_duration_seconds'), 'scan'],
      ]),
      timeseries('Face video to its embedding, 95 %', 's', 12, [
        [quantile(0.95, 'face_video_duration_seconds'), 'video'],
      ]),
    ],
  },
  {
    question: 'Does the backend get its results, and do clients get their answers?',
    panels: [
      timeseries('Recognitions on their way', 'ops', 8, [
        [rate('face_callbacks_total', 'outcome'), '{{outcome}}'],
      ]),
      timeseries('Attempts', 'ops', 8, [[rate('face_callback_attempts_total', 'outcome'), '{{outcome}}']]),
      stat('Oldest result that waits', 's', 4, [['face_callback_outbox_oldest_age_seconds', 'oldest']], {
        alarmAt: 300,
      }),
      stat('Batches that wait', 'short', 4, [['face_callback_outbox_batches', 'batches']]),
      timeseries('Answers by status', 'ops', 8, [
        [rate('face_http_request_duration_seconds_count', 'status'), '{{status}}'],
      ]),
      timeseries('Errors by code', 'ops', 8, [[rate('face_errors_total', 'code'), '{{code}}']]),
      timeseries('Refused before any work', 'ops', 8, [
        [rate('face_http_requests_refused_total', 'reason'), '{{reason}}'],
      ]),
    ],
  },
  {
    question: 'What runs here?',
    panels: [
      table('Version', 'none', 8, [['face_build_info', '{{version}}']]),
      table('Models', 'none', 8, [['face_model_info', '{{task}}: {{model}}']]),
      table('Provider', 'none', 4, [['face_provider_info', '{{provider}}']]),
      table('Database', 'none', 4, [['face_database_info', '{{kind}}']]),
      timeseries('Stored frames', 'bytes', 8, [['face_device_frames_stored_bytes', 'frames']]),
      timeseries('Connections to the database', 'short', 8, [
        ['sum by (state) (face_database_connections)', '{{state}}'],
        ['face_database_callers_waiting', 'callers that wait'],
      ]),
      timeseries('WebSocket clients', 'short', 8, [['face_websocket_clients', 'clients']]),
    ],
  },
];
