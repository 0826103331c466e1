// Every bound in one place, its unit in its name. A bound that is hit is counted or refused, never silent.

export const limits = {
  // Pipeline files
  config_bytes_max: 1_048_576,
  config_depth_max: 64,
  config_nodes_max: 10_000,
  config_aliases_max: 0,
  config_name_length_max: 64,
  interpolated_value_bytes_max: 65_536,
  expression_depth_max: 64,
  expression_nodes_max: 2_000,
  expression_list_max: 1_000,
  expression_arguments_max: 16,
  /** Texts of generated code that are kept for expressions of the same form. */
  expression_codes_max: 1_000,
  regex_length_max: 512,
  /** Steps that one match may take at worst; the longest text that a pattern reads follows from it. */
  regex_steps_max: 20_000_000,
  steps_max: 256,
  branches_max: 64,
  /** Sources of one pipeline. */
  sources_max: 8,
  subject_tokens_max: 32,
  subject_length_max: 256,
  field_name_length_max: 256,
  config_diagnostics_max: 100,

  // Payloads
  payload_bytes_max: 1_048_576,
  /** Farthest from the epoch, on either side, that ECMAScript dates and therefore calendars reach. */
  payload_time_ms_max: 8.64e15,
  payload_depth_max: 64,
  payload_fields_max: 10_000,
  string_bytes_max: 262_144,
  dead_letter_payload_bytes_max: 65_536,

  /** Files that a .proto file leads to, itself included, the bytes of each, and messages inside messages. */
  proto_files_max: 32,
  proto_file_bytes_max: 1_048_576,
  proto_depth_max: 8,
  /** Fields of one message, with those of the messages inside it. */
  proto_fields_max: 1_000,

  // Batches
  batch_rows_max: 8_192,
  batch_bytes_max: 1_048_576,
  /** How long a record may wait for its batch to fill. */
  batch_age_ms_max: 5,
  /** Distinct texts of one string column before its dictionary starts anew. */
  dictionary_entries_max: 65_536,
  dictionary_bytes_max: 4_194_304,

  // Decoding
  templates_max: 8,
  template_slots_max: 64,
  template_bytes_max: 16_384,
  /** Longest record of a binary format that is compared as a whole. */
  stencil_bytes_max: 512,
  /** Batches beyond these are decoded outside the kernel's memory. */
  kernel_batch_rows_max: 65_536,
  kernel_batch_bytes_max: 67_108_864,

  // Encoding
  /** Rows share buffers of this size: a row kept for long holds back no more, and allocating does not show. */
  encode_chunk_bytes: 65_536,

  /** Numbers that one step may show beside its counts, by each way in which they are put together. */
  step_metrics_max: 100,

  // State
  keys_max: 1_000_000,
  /** Keys of a step where the file says nothing; fewer where no more fit into its memory, but no fewer than these. */
  keys_default: 100_000,
  keys_fitting_min: 1_000,
  /** What the state of a pipeline may take where the file says nothing. */
  state_bytes_default: 268_435_456,
  /** The figures by which state is estimated: a key's place in its table, a slot's beside its numbers, … */
  state_key_bytes: 48,
  state_slot_bytes: 24,
  /** … a record that is kept, with its original bytes, beside its columns, … */
  state_record_bytes: 512,
  /** … a text, … */
  state_text_bytes: 64,
  /** … and the tables of a step for one key with a clock of its own. */
  state_lane_bytes: 16_384,
  /** Lists and maps inside each other, in what is kept of a pipeline. */
  state_depth_max: 64,
  key_bytes_max: 1024,
  /** Keys that make room together when a table is full. */
  keys_forgotten_at_once: 64,
  /** Keys with a clock of their own: each has tables of its own as well. */
  lanes_max: 10_000,
  panes_open_max: 100_000,
  /** Partial aggregates of one window step that are not bound to panes of time: sessions, counted and sliding windows. */
  window_parts_max: 4_000_000,
  /** Numbers that the slots of one table take together: more would not fit into memory. */
  slots_max: 1_073_741_824,
  /** Hopping or counted windows that one record may belong to. */
  window_overlap_max: 1_000,
  /** Rows of a key that one cumulating window may grow through. */
  window_steps_max: 10_000,
  window_shifts_max: 24,
  /** Loops made for sets of aggregates, which steps alike share. */
  window_programs_max: 256,
  /** Inputs of one align or join step. */
  join_inputs_max: 16,
  /** Records of one key that one side of a join keeps: each record that comes may make as many rows. */
  join_key_records_max: 4_096,
  /** Rows of align and join that are made before they are sent. */
  join_rows_max: 1_024,
  /** Windows without records in a row that a key has rows for. */
  gap_windows_max: 1_000,
  sketch_buckets_max: 2_048,
  /** Above, count_distinct is an estimate. */
  distinct_exact_values_max: 256,
  /** Above, quantile_exact and median are answered by a sketch. */
  quantile_exact_values_max: 16_384,
  frequent_values_max: 256,
  frequent_text_length_max: 256,
  top_values_max: 100,
  collect_values_max: 1_000,
  collect_bytes_max: 65_536,

  // Commits
  /** How often, and after how many bytes of rows at the latest, a durable worker commits. */
  commit_ms_default: 100,
  commit_ms_min: 20,
  commit_ms_max: 60_000,
  commit_bytes_default: 1_048_576,
  /** So many times the bytes of one commit may wait for it before the sources are read no longer. */
  commits_in_debt_max: 4,
  /** What a recovery may have to read behind a snapshot, or twice the snapshot where that is more. */
  log_snapshot_bytes: 16_777_216,
  /** Of a folder that several pipelines share, named after them. */
  state_folder_name_length_max: 100,
  /** Places in a chain that one sink remembers, to tell which of its rows were confirmed. */
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
  /** One that has run for so long did not fail at its start. */
  ingest_settled_ms: 10_000,
  /** Until a full disk is tried again. */
  journal_room_ms: 250,
  ingest_log_bytes_max: 1_048_576,

  // Reference tables
  lookup_rows_max: 200_000,
  lookup_bytes_max: 16_777_216,
  /** How often a file is looked at. It is read once it was the same twice, so that a half-written one is not. */
  lookup_poll_ms: 1_000,
  /** Changes of a bucket within this time are taken together. */
  lookup_gather_ms: 200,
  /** How often it is asked whether a bucket is still the one that is watched. */
  lookup_check_ms: 5_000,
  /** How long a bucket may take to send the entries that it holds. */
  lookup_load_ms_max: 30_000,

  // The outbox
  /** What waits may take where nothing is said, … */
  outbox_bytes_default: 1_073_741_824,
  outbox_bytes_min: 65_536,
  /** … how much of it is in memory, … */
  outbox_memory_bytes_max: 8_388_608,
  /** … and how long rows are kept once they are confirmed: twice what a server takes to make them durable. */
  outbox_retention_ms_default: 240_000,
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
  /** Backlog waits until its budget has room for so much, … */
  uplink_message_bytes: 65_536,
  /** … and use of budgets that no commit holds yet, which a crash forgets. */
  uplink_unwritten_bytes: 65_536,

  // Fault runs
  /** How long one waits for what must happen. */
  faults_wait_ms_max: 120_000,
  faults_drain_ms_max: 10_000,
  faults_look_ms: 25,
  faults_publish_ms_max: 1_000,
  faults_attempts_max: 20,
  faults_duplicate_window_ms: 1_000,
  faults_message_lines: 250,
  faults_message_ms: 10,
  /** How far the publisher is ahead of what has arrived. */
  faults_ahead_records: 10_000,
  /** Records that show that rows flow. */
  faults_flow_records: 2_000,

  // Queues
  source_queue_bytes_max: 33_554_432,
  source_queue_messages_max: 65_536,
  /** The same where messages hold many records, which are small then. */
  source_queue_records_max: 524_288,
  sink_in_flight_max: 256,
  sink_queue_rows_max: 65_536,
  dead_letter_queue_max: 4_096,
  pool_batches_in_flight_max: 8,
  jetstream_pull_messages_max: 1_024,
  /** Of a consumer that weir names; the broker takes 255, and a successor's suffix has to fit as well. */
  consumer_name_length_max: 200,
  /** Acknowledgements that the broker waits for before it stops delivering. */
  jetstream_ack_pending_max: 1_000_000,
  /** Ranges of a work queue's messages that are done and may come again; beyond, the broker has to catch up first. */
  jetstream_remembered_ranges_max: 4_096,
  sink_in_flight_bytes_max: 16_777_216,
  /** Of the rows of one message, where a sink sends several and the file says nothing. */
  sink_batch_rows_default: 1_000,
  sink_batch_bytes_default: 262_144,
  sink_batch_wait_ms_default: 1_000,
  /** What a message of many rows leaves for its headers. */
  sink_batch_header_bytes: 1_024,
  /** What a stream may hold that weir creates for a sink; the oldest rows go first. */
  sink_stream_bytes_max: 1_073_741_824,
  /** Messages that are read to find the end of a chain behind those of others, and how many at once. */
  chain_search_max: 4_096,
  chain_search_at_once: 32,
  /** How often within this time another may write between the rows of a chain before it is refused. */
  chain_foreign_times_max: 3,
  chain_foreign_ms: 600_000,
  /** Subjects of which a chain remembers how far it has them. */
  chain_subjects_max: 65_536,
  /** Rows that wait for one write to a file. */
  chain_file_rows_max: 8_192,
  /** Rows of one message of a lane, and its bytes where the server takes so many. */
  lane_rows_max: 4_096,
  lane_bytes_max: 524_288,
  /** Messages of backlog that are too small to be packed, how small they have to become, and what one may unpack to. */
  lane_packed_bytes_min: 512,
  lane_packed_part_max: 0.9,
  lane_body_bytes_max: 8_388_608,
  /** Unconfirmed core publishes before a round trip is awaited. */
  nats_round_trip_rows: 4_096,
  /** Subjects whose text a source remembers by their bytes; a power of two. */
  subject_texts_max: 4_096,
  file_chunk_bytes: 262_144,
  /** From the start of a file, to tell it from another one of its name. */
  file_identity_bytes: 4_096,
  file_sink_queue_bytes_max: 4_194_304,
  feed_in_flight_max: 512,

  // Time
  drain_ms_max: 10_000,
  ahead_ms_default: 300_000,
  operator_hang_ms_max: 5_000,
  /** For a thread to start and load operators, on a slow device too. */
  operator_load_ms_max: 30_000,
  /** Of a message with its headers, whatever the server says: more than any nats-server allows. */
  nats_message_bytes_max: 71_303_168,
  nats_ping_interval_ms: 5_000,
  nats_reconnect_ms_min: 200,
  nats_reconnect_ms_max: 10_000,
  nats_handshake_ms_max: 5_000,
  nats_request_ms_max: 5_000,
  nats_close_ms_max: 2_000,
  jetstream_pull_expires_ms: 5_000,
  /** Before its end a request no longer counts, so that the next one is there in time. */
  jetstream_pull_renewal_ms: 2_000,
  /** After its end the answer to a request is still on its way for so long. */
  jetstream_pull_grace_ms: 1_000,
  /** Until the broker gives a message of a work queue out again. */
  jetstream_ack_wait_ms: 30_000,
  /** The same where weir never wants a redelivery, because it replays from its position instead. */
  jetstream_ack_wait_replayed_ms: 86_400_000,
  jetstream_consumer_inactive_ms: 300_000,
  host_every_ms_min: 100,

  // A worker's door for questions
  /** What a socket's path may hold on the systems that weir runs on. */
  socket_path_bytes_max: 100,
  control_answer_ms_max: 2_000,
  admin_connections_max: 64,
  control_answer_bytes_max: 67_108_864,

  // Workers under a supervisor
  /** How often a worker looks whether it is to run something else. */
  assignment_look_ms: 250,
  worker_heartbeat_ms: 1_000,
  /** Without a heartbeat for so long a worker hangs. */
  worker_hang_ms: 3_000,
  /** Until its first heartbeat, on a slow device too. */
  worker_start_ms_max: 30_000,
  /** Before a worker that was asked to drain is killed: it gives up by itself after `drain_ms_max`. */
  worker_grace_ms: 15_000,
  worker_name_length_max: 64,
  /** What one worker takes beside its pipelines, what all of it may take, and how many pipelines it runs. */
  worker_base_bytes: 100_663_296,
  worker_memory_bytes_default: 536_870_912,
  worker_pipelines_max: 100,
  /** What a pipeline is expected to take where nothing says more. */
  pipeline_processors_default: 0.01,
  pipeline_memory_bytes_default: 4_194_304,
  pipeline_processors_max: 64,
  restart_back_off_ms_min: 200,
  restart_back_off_ms_max: 30_000,
  /** So many failures within so long, and it is not started again by itself. */
  restart_intensity: 5,
  restart_within_ms: 30_000,
  /** The same for failures without having run well in between, however long they take. */
  restart_in_a_row_max: 10,
  /** What ran for so long without a failure is good. */
  restart_good_ms: 10_000,
  /** How long a host may be out of reach before its pipelines run elsewhere. */
  host_lost_ms: 120_000,

  // Workers that are processes
  /** From the order to start one until it has a process. */
  process_start_ms_max: 5_000,
  /** How often it is looked whether one has ended. */
  process_poll_ms: 20,
  /** Until the end of one that was killed is written down. */
  process_end_ms_max: 2_000,
  /** Of what one says; the file before is kept as well. */
  process_output_bytes_max: 4_194_304,
  process_output_lines_max: 10_000,

  // The supervisor
  supervisor_look_ms: 1_000,
  supervisor_happenings_max: 200,
  /** Revisions of a pipeline that the bucket of what is wanted remembers. */
  desired_history_max: 8,
  /** How often it is seen whether the connection to it was cut. */
  desired_check_ms: 1_000,
  /** Of its memory that is resident, above which it is tidied, and how long it then rests from that. */
  supervisor_memory_bytes: 83_886_080,
  supervisor_tidy_ms: 10_000,
  /** Pipelines of one host. */
  host_pipelines_max: 10_000,

  // Scaling
  scale_every_ms: 5_000,
  scale_average_ms: 10_000,
  /** In how long a backlog is to be worked off. */
  scale_catch_up_ms: 20_000,
  /** Samples in a row that want more before it is given, and after which what it gained is judged. */
  scale_up_samples: 2,
  scale_trial_samples: 3,
  /** How long after an increase there is no decrease, and whose largest want a decrease goes by. */
  scale_down_ms: 120_000,
  /** How long an increase that gained nothing forbids the next. */
  scale_blocked_ms: 600_000,
  // Workers in containers
  engine_answer_ms_max: 10_000,
  /** For one to be made or started, on a slow device too. */
  engine_start_ms_max: 60_000,
  /** How long a killed one may take to be gone. */
  engine_kill_ms_max: 10_000,
  engine_answer_bytes_max: 8_388_608,
  engine_containers_max: 1_000,
  /** What is read of a worker's output, and of one line of it. */
  worker_log_bytes_max: 67_108_864,
  worker_log_line_bytes_max: 65_536,
  worker_log_lines_max: 10_000,
  /** What the engine keeps of a worker's output. */
  worker_log_file_bytes_max: 10_485_760,
  worker_tmp_bytes: 16_777_216,
  /** Processes and threads of a worker for which nothing else is said. */
  worker_pids_default: 256,
  worker_files_max: 16_384,
  worker_processes_max: 16_384,
  kernel_log_records_max: 20_000,

  // Workers in virtual machines
  /** For one to be made; its system starts after that. */
  machine_start_ms_max: 30_000,
  machine_answer_ms_max: 2_000,
  machine_answer_bytes_max: 1_048_576,
  machine_memory_bytes_min: 134_217_728,
  machine_memory_bytes_default: 268_435_456,
  machine_processors_max: 16,
  /** Folders of one, beside its system: its board has no more places. */
  machine_folders_max: 5,
  /** What a folder to write in may come to hold. */
  machine_folder_bytes: 1_073_741_824,

  // A nats-server started by tests and demonstrations
  nats_server_start_ms_max: 10_000,
  nats_server_start_attempts_max: 5,
  nats_server_log_bytes_max: 1_048_576,

  // The demonstration
  /** Latencies kept of each pipeline; the oldest go first. */
  demo_latencies_max: 10_000,
  /** How often the demonstration under faults kills something. */
  demo_kill_ms: 2_000,
  /** Messages that are asked for together when its rows are read back. */
  demo_reads_at_once: 32,
  /** How much longer it may take until each had its turn. */
  demo_chaos_more_ms_max: 60_000,
  /** Rows of one branch that may be behind a missing one before that is given up. */
  demo_rows_ahead_max: 4_096,
  demo_feed_stop_ms_max: 3_000,
  /** Longer than a source takes to notice that its server has forgotten a request. */
  demo_catch_up_ms_max: 15_000,
  demo_read_back_ms_max: 5_000,
} as const;
