// The exact rule of every kind of window, in sentences, for the reference.

/** What holds for all kinds, then each kind by its setting. */
export const windowRule: string = [
  "A `window` step names one kind of window. Its rows hold `window_start`, `window_end`, the key and the selected aggregates: one row for each window and key that it saw.",
  "Null values are skipped by every aggregate but `count()`; a null key is a key of its own. Event time is processing time where the pipeline declares no time field.",
  "Windows of time are `[start, end)`, aligned to the epoch plus `offset`; times before 1970 floor downwards. Their rows are sent once, when the watermark reaches the end. A record is `late` only when every window that it belongs to has closed; one that still fits some is counted in those. Where windows overlap, a record is held until the last window with it was sent: the row of that window stands for it.",
  "`tumbling: size`: windows of one size that follow each other. With `emit: { early: d }` a window is sent at each multiple of `d` plus `offset` with the records before that time, as `cumulate` does, and `window_final` is true in its last row; earlier rows stand for no record.",
  "`hopping: { size, every }`: windows of one size, one beginning at each step of `every`.",
  "`cumulate: { step, max }`: a window that begins at each multiple of `max` and is sent at each step, with all that it holds so far, up to its full length; when the stream ends, at the steps that brought records and at the last.",
  "`calendar: { unit or shifts, zone }`: from when the clocks of the zone first show the beginning of an hour, day, week (Monday) or month, or of a shift, to when they first show the next; where they jump over it, from the jump. Hours that the clocks show twice are two windows. Rows of shifts have a column `shift`.",
  "`session: { gap, max }`: records of a key no more than `gap` apart, from the first to the last plus `gap`. A record exactly `gap` later joins, so that a session is sent when the watermark is past its end; one that comes late joins any session that is still open, and two that it bridges become one. With `max`, a record joins only a session that began less than `max` before it and still spans less than `max` with it, and the end is at most the first plus `max`.",
  "`count: { n, every }`: records of a key in the order in which they came; the first window begins with the first record, the next ones at every further `every`, and each is sent with its n-th record. No record is late. When the stream ends, the oldest window of each key that is still open is sent with what it holds.",
  "`sliding: d`: one row for each record at time t, over the records of its key in `(t - d, t]`. Records are taken in event time, those of equal times in the order in which they came, each when the watermark reaches it; one that comes after that is `late`.",
  "`state: { open, close }`: from a record for which `open` is true up to the first from it on for which `close` is true, both in the window. Records are taken as for `sliding`; those outside of a window are counted as `filtered`. When the stream ends, open windows are sent with what they hold.",
  "In rows of `count`, `sliding` and `state`, `window_start` and `window_end` are the times of the earliest and the latest record.",
].join(" ");
