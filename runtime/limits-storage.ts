// The bounds of what is kept on the disk: commits, the log, the journal, the outbox. Part of limits.ts, where everybody takes them from.

export const storageLimits = {
  // Commits
  /** How often, and after how many bytes of rows at the latest, a durable worker commits. */
  commit_ms_default: 100,
  commit_ms_min: 20,
  commit_ms_max: 60_000,
  commit_bytes_default: 1_048_576,
  /** So many times the bytes of one commit may wait for it before the sources are read no longer. */
  commits_in_debt_max: 4,
  /** Commits that found no room, half a minute of them, after which rows that are kept for healing make some. */
  full_disk_attempts: 8,
  /** What a recovery may have to read behind a snapshot, or as much of the snapshot's bytes where that is more. */
  log_snapshot_bytes: 16_777_216,
  log_snapshot_share: 1,
  /** Of a folder that several pipelines share, named after them. */
  state_folder_name_length_max: 100,
  /** Runs of rows that sinks which share a chain remember, to tell whose were confirmed. */
  outbox_places_max: 4_096,
  /** How long rows that are in the outbox may take to arrive when the worker is told to stop. */
  durable_flush_ms_max: 2_000,
  // The commit log
  /** Of one commit. The first one holds the whole state. */
  log_commit_bytes_max: 1_073_741_824,
  /** A segment that has grown to this is followed by another one. */
  log_segment_bytes: 268_435_456,
  log_snapshot_bytes_max: 4_294_967_296,
  /** A snapshot is written and made durable piece by piece, so that commits beside it wait no longer than for one. */
  log_snapshot_piece_bytes: 4_194_304,
  /** Memory that is kept for the next commit. */
  log_buffer_bytes: 4_194_304,
  /** Kept free for a last commit on a full disk, as long as it is no more than this share of what is free. */
  log_reserve_bytes: 16_777_216,
  log_reserve_share: 0.0625,
  /** The part of it that is left to the next starts, and of what is free where the disk was full at a start. */
  log_reserve_start_share: 0.25,
  log_reserve_scarce_share: 0.75,
  /** Of a folder as it goes to another host: what stands in front of each file. */
  parcel_line_bytes_max: 1_024,

  // The ingest journal
  journal_bytes_default: 1_073_741_824,
  journal_bytes_min: 16_777_216,
  journal_age_ms_default: 86_400_000,
  /** It is cut into at least so many segments, so that dropping the oldest drops little. */
  journal_segments_min: 8,
  journal_segment_bytes_max: 67_108_864,
  /** How long the first record waits for others before they are written and synchronised together. */
  journal_group_ms: 20,
  /** What is written before it is synchronised, where more comes all the time. */
  journal_group_bytes_max: 8_388_608,
  journal_chunk_bytes: 1_048_576,
  /** Subjects whose publishers' numbers are kept account of. */
  journal_publishers_max: 65_536,
  /** How often a reader looks for more, and every how many looks without any at the folder. */
  journal_poll_ms: 5,
  journal_looks: 8,
  /** How often a reader says that it is there, and how long after its last word an ingest that it had started ends. */
  journal_heartbeat_ms: 2_000,
  journal_orphan_ms: 600_000,
  /** How often a worker looks whether its ingest runs. */
  ingest_watch_ms: 250,
  /** How long an ingest waits for its lock, which others take for a moment to look whether it is free. */
  ingest_lock_ms_max: 2_000,
  /** How long a worker waits for one that it started to have subscribed. */
  ingest_listens_ms_max: 3_000,
  /** One that has run for so long did not fail at its start. */
  ingest_settled_ms: 10_000,
  /** Until a full disk is tried again. */
  journal_room_ms: 250,
  /** The same for a pipeline whose state cannot be opened just now: its disk is full, or another process has it. */
  state_again_ms: 1_000,
  ingest_log_bytes_max: 1_048_576,

  // The outbox
  /** What waits may take where nothing is said, … */
  outbox_bytes_default: 1_073_741_824,
  outbox_bytes_min: 65_536,
  /** Of a state folder's part of the disk: what its log and its snapshots take beside the outbox, and of the rest, or of all, the share for that. */
  outbox_beside_bytes: 67_108_864,
  outbox_disk_share: 0.8,
  outbox_small_disk_share: 0.25,
  /** … how much of it is in memory, … */
  outbox_memory_bytes_max: 8_388_608,
  /** … and how long rows are kept once they are confirmed: twice what a server takes to make them durable. */
  outbox_retention_ms_default: 240_000,
  /** After the last confirmation a chain looks once whether its stream is still there: while the rows are kept. */
  chain_check_ms: 200_000,
  /** Until a disk that did not take what memory has no room for is tried again. */
  outbox_relieve_again_ms: 1_000,
  /** Confirmations within this time share one time. */
  outbox_confirmation_ms: 1_000,
  /** Rows that go to the disk together, … */
  outbox_frame_bytes_max: 262_144,
  /** … those too few to be worth packing, and how small they have to become. */
  outbox_packed_bytes_min: 256,
  outbox_packed_part_max: 0.9,
  outbox_file_bytes_max: 8_388_608,
  /** What may be handed out before the next commit. After a restart nobody knows whether those were sent. */
  outbox_ahead_rows_max: 65_536,
  outbox_ahead_bytes_max: 16_777_216,
  /** … and the part of that where nobody takes them; how fast it goes from one to the other, from commit to commit. */
  outbox_ahead_part_min: 0.031_25,
  outbox_ahead_step: 4,
  /** A disk with less room than that is nearly full; how often it is looked at, ms. */
  outbox_scarce_bytes: 16_777_216,
  outbox_scarce_look_ms: 1_000,
  outbox_tiers_max: 8,
  /** Rows that are condensed together: at most, … */
  outbox_condense_bytes_max: 4_194_304,
  /** … and at least where it is done for want of room, … */
  outbox_condense_bytes_min: 16_384,
  /** … and how many times of the next tier they are to be of. */
  outbox_condense_times: 8,
  outbox_condense_check_ms: 1_000,
  /** The part of its size at which an outbox condenses rows before their time. */
  outbox_condense_part: 0.75,
  /** Rows that waited longer are backlog where nothing is said. */
  outbox_backlog_ms_default: 60_000,
  /** How long a chain lets a more urgent one go first that nobody takes from. */
  outbox_turn_ms: 1_000,
  /** Backlog that is on its way at once: a live row waits for no more than this. */
  backlog_in_flight_bytes: 262_144,
  /** What a row takes on the wire beside its own bytes: the protocol, and the headers of its chain. */
  uplink_row_bytes: 200,
  /** The same of a message with many rows: the protocol, and where the answer is to go. */
  uplink_head_bytes: 65,
  /** Of how many bytes a message says as much of what rows take on the wire as all those before it. */
  uplink_share_bytes: 65_536,
  /** Backlog waits until its budget has room for so much, … */
  uplink_message_bytes: 65_536,
  /** … and use of budgets that no commit holds yet, which a crash forgets. */
  uplink_unwritten_bytes: 65_536,
  /** How often a state folder looks what those beside it have used of a budget that they share, ms. */
  uplink_look_ms: 5_000,
} as const;
