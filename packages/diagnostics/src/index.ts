/** Watching Troupe from outside. Logs, metrics, profiles, traces. */
export { createLogger, type LeveledLogger, type Logger, type LoggerOptions } from './logger.ts';
export {
  isLogLevel,
  LEVEL_FOR_MS,
  LEVEL_FOR_MS_MAX,
  type LevelChange,
  type LevelInForce,
  LOG_LEVELS,
  type LogLevel,
  LogLevels,
} from './logs/log-levels.ts';
export { type StepBegins, type StepEnded, WorkLog, type WorkOf } from './logs/work-log.ts';
export type { Histogram } from './metrics/histogram.ts';
export type { MetricHead } from './metrics/metric.ts';
export { type Counter, type Gauge, type Labels, type MetricOptions, MetricsRegistry } from './metrics/registry.ts';
export { clusterMetrics, type PartitionFigures, type WorkerFigures } from './metrics/worker-metrics.ts';
export {
  analyseProfile,
  type CallFrame,
  type CpuProfile,
  type Part,
  type ProfileNode,
  type ProfileReport,
  placeOf,
  type TimeRow,
} from './profiling/analyse.ts';
export { flamePage } from './profiling/flame-page.ts';
export type { NamedFunction, WalkedMachine } from './profiling/machine-functions.ts';
export { type ProfiledType, type ProfileEnd, type ProfileFile, Profiler, SECONDS_MAX } from './profiling/profiler.ts';
export { REDACTED, redact, redactText } from './redaction.ts';
export {
  loadSpanExporter,
  OTLP_PROTOCOLS,
  type OtlpProtocol,
  SPAN_BATCH_MAX,
  SPAN_EVERY_MS,
  SPAN_QUEUE_MAX,
  SPAN_TIMEOUT_MS,
  type SpanExporterOptions,
} from './traces/load-span-exporter.ts';
export { createSampler, SAMPLERS, type Sampler } from './traces/sampler.ts';
export type { Span, SpanKind } from './traces/span.ts';
export type { SpanExporter } from './traces/span-exporter.ts';
