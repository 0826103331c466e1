// What other tools call the things that weir has other names for. One word may mean several things, of which the
// place where it stands has one at most. A name that weir knows itself is here only where it stands elsewhere: `on` and `by`.

/** By weir's name, what else it is called. */
const otherNames: Readonly<Record<string, string>> = {
  // Aggregates and functions
  mean: "avg average",
  stddev: "std stdev",
  var: "variance",
  quantile: "percentile percentile_cont approx_percentile",
  count_distinct: "distinct unique cardinality nunique",
  sum: "total",
  min: "minimum",
  max: "maximum",
  collect: "list array_agg",
  lowerAscii: "lower lowercase tolower tolowercase",
  upperAscii: "upper uppercase toupper touppercase",
  part: "split split_value split_part",
  substring: "substr mid",
  replace: "regexp_replace",
  log: "ln",
  sign: "signum sgn",
  bit: "bittest test_bit getbit",
  bitAnd: "bitand band",
  bitOr: "bitor bor",
  bitXor: "bitxor bxor",
  bitShiftLeft: "shl lshift shift_left",
  bitShiftRight: "shr rshift shift_right",
  getSeconds: "second seconds",
  getDayOfYear: "day_of_year dayofyear doy",
  coalesce: "ifnull nvl default",
  getFullYear: "year",
  getMonth: "month",
  getDate: "day day_of_month dayofmonth",
  getDayOfWeek: "weekday day_of_week dayofweek dow",
  getHours: "hour hours hour_of_day",
  getMinutes: "minute minutes",
  double: "float tofloat to_number number",
  string: "str text varchar char to_string tostring",
  // Types and units of time
  time: "timestamp datetime date",
  float64: "number float double real float32 numeric decimal",
  int64: "int integer long bigint int32 uint32 uint64",
  bool: "boolean bit",
  json: "object map array struct list any",
  s: "sec secs second seconds unix epoch",
  ms: "milli millis millisecond milliseconds",
  us: "micro micros microsecond microseconds",
  ns: "nano nanos nanosecond nanoseconds",
  iso: "iso8601 iso-8601 rfc3339 text string",
  // Operators
  window: "aggregate group groupby reduce summarize tumbling hopping sliding session",
  filter: "where if condition",
  set: "map mapping bloblang mutation compute calculate derive eval transform let add convert",
  select: "project fields columns aggregate aggregates aggregation aggregations",
  unnest: "explode flatten unarchive flatmap flat_map expand",
  drop: "remove delete discard omit",
  hold: "alarm alert threshold debounce",
  sample: "downsample decimate",
  deadband: "rbe report_by_exception on_change change delta",
  absence: "heartbeat timeout missing silence watchdog",
  lookup: "enrich",
  dedup: "deduplicate distinct unique",
  outlier: "hampel anomaly spike",
  previous: "lag last_value before had_changed changed",
  rate: "derivative non_negative_derivative",
  throttle: "delay ratelimit rate_limit limit",
  branch: "route switch split fork",
  sink: "output publish emit write to send",
  // Settings
  by: "key group_by groupby partition_by key_by per on",
  on: "by key join_key using",
  for: "duration",
  when: "condition expr expression if",
  band: "delta threshold tolerance deadband",
  value: "field column input signal",
  tumbling: "every size interval length tumble fixed",
  hopping: "hop",
  source: "input from in",
  steps: "transforms processors operators stages",
  dead_letter: "dlq deadletter errors on_error",
  about: "description desc comment",
  name: "id title",
  subject: "topic",
  lateness: "late allowed_lateness watermark delay",
  field: "column",
  path: "file filename",
  rows: "count size messages records",
  wait: "period timeout linger interval flush_interval",
  zone: "timezone time_zone tz",
};

const meanings = new Map<string, string[]>();
for (const [name, others] of Object.entries(otherNames)) {
  for (const other of others.split(" ")) meanings.set(other, [...(meanings.get(other) ?? []), name]);
}

/** That of `names` which other tools call `name`; undefined when there is none. */
export function synonymOf(name: string, names: readonly string[]): string | undefined {
  return meanings.get(name.toLowerCase())?.find((each) => names.includes(each));
}
