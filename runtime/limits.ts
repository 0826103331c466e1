// Every bound in one place, its unit in its name. A bound that is hit is counted or refused, never silent.

import { storageLimits } from "./limits-storage.ts";
import { supervisionLimits } from "./limits-supervision.ts";

const generalLimits = {
  // Pipeline files
  config_bytes_max: 1_048_576,
  config_depth_max: 64,
  config_nodes_max: 10_000,
  config_tokens_max: 100_000,
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
  regex_steps_max: 50_000_000,
  steps_max: 256,
  branches_max: 64,
  /** Sources of one pipeline. */
  sources_max: 8,
  subject_tokens_max: 32,
  subject_length_max: 256,
  field_name_length_max: 256,
  config_diagnostics_max: 100,

  // Records that a pipeline is begun from: how many, how long they are waited for, and how many fields it names
  sample_records_max: 500,
  sample_bytes_max: 16_777_216,
  sample_ms_default: 5_000,
  sample_fields_max: 100,

  // What is shown of a pipeline on trial: rows of two that are kept to be compared, in how many rows their order may differ
  // before they are compared one by one, and how much of a record that was left out is shown
  compared_rows_max: 200_000,
  compared_edits_max: 500,
  shown_record_characters_max: 400,

  // Payloads
  payload_bytes_max: 1_048_576,
  /** Farthest from the epoch, on either side, that ECMAScript dates and therefore calendars reach. */
  payload_time_ms_max: 8.64e15,
  payload_depth_max: 64,
  payload_fields_max: 10_000,
  string_bytes_max: 262_144,
  dead_letter_payload_bytes_max: 65_536,
  /** Why a record is one, which may be an operator's own words. */
  dead_letter_detail_characters_max: 512,

  /** Files that a .proto file leads to, itself included, the bytes of each, and messages inside messages. */
  proto_files_max: 32,
  proto_file_bytes_max: 1_048_576,
  proto_depth_max: 8,
  /** Fields of one message, with those of the messages inside it. */
  proto_fields_max: 1_000,
  /** Characters of JSON that lists, maps and bytes of one field of a record may come to. */
  proto_json_text_max: 4_194_304,

  // Batches
  batch_rows_max: 8_192,
  batch_bytes_max: 1_048_576,
  /** How long a record may wait for its batch to fill. A batch costs some 10 µs beside its records: 1 % of a thread at most. */
  batch_age_ms_max: 2,
  /** Memory that a thread keeps for batches to come: the most of a piece, and how many. */
  batch_memory_bytes_max: 1_048_576,
  batch_memories_max: 4,
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
  /** How large a pipeline's state is, is looked at that often at most. */
  state_size_look_ms: 2_000,
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
  /** A hundred years. */
  window_ms_max: 3_153_600_000_000,
  /** Rows of a key that one cumulating window may grow through. */
  window_steps_max: 10_000,
  window_shifts_max: 24,
  /** Loops made for sets of aggregates, which steps alike share. */
  window_programs_max: 256,
  /** Inputs of one align or join step. */
  join_inputs_max: 16,
  /** Records of one key that one side of a join keeps where it does not say: each record that comes may make as many rows. */
  join_key_records_default: 4_096,
  /** The most that it may say. */
  join_key_records_max: 1_000_000,
  /** Rows of align and join that are made before they are sent. */
  join_rows_max: 1_024,
  /** Windows without records in a row that a key has rows for. */
  gap_windows_max: 1_000,
  /** Rows after which those before find room, where one moment makes many windows due. */
  window_rows_at_once: 65_536,
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
  /** How long a start waits for a bucket of which it has what was read last. */
  lookup_kept_wait_ms: 1_000,
  /** What a bucket holds is written down for such a start at most so often. */
  lookup_kept_every_ms: 10_000,

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
  /** Keys that a thread of the pool knows between batches, where it aggregates. */
  partial_keys_max: 16_384,
  jetstream_pull_messages_max: 1_024,
  /** Of a consumer that weir names; the broker takes 255, and a successor's suffix has to fit as well. */
  consumer_name_length_max: 200,
  /** Acknowledgements that the broker waits for before it stops delivering. */
  jetstream_ack_pending_max: 1_000_000,
  /** Ranges of a work queue's messages that are done and may come again; beyond, the broker has to catch up first. */
  jetstream_remembered_ranges_max: 4_096,
  sink_in_flight_bytes_max: 16_777_216,
  /** What of it a chain begins with, and what it comes down to at worst; one entry goes in any case. */
  sink_window_bytes_first: 16_384,
  sink_window_bytes_min: 4_096,
  /** An answer that takes longer halves it: half of what an answer is waited for. One that takes half of that doubles it. */
  sink_answer_late_ms: 2_500,
  /** Of the rows of one message, where a sink sends several and the file says nothing. */
  sink_batch_rows_default: 1_000,
  sink_batch_bytes_default: 262_144,
  sink_batch_wait_ms_default: 1_000,
  /** What a message of many rows leaves for its headers. */
  sink_batch_header_bytes: 1_024,
  /** Its bytes while no server has said how many it takes: few, because one that is too large could never be sent. */
  sink_batch_unknown_bytes_max: 16_384,
  /** What a stream may hold that weir creates for a sink; the oldest rows go first. */
  sink_stream_bytes_max: 1_073_741_824,
  /** How often in a row a writer's subjects are added to a shared stream that others change meanwhile. */
  stream_update_attempts_max: 16,
  /** Messages that are read to find the end of a chain behind those of others, and how many at once. */
  chain_search_max: 4_096,
  chain_search_at_once: 32,
  /** Of entries that are known, so many bytes are read again at once. */
  chain_search_bytes: 8_192,
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
  /** What the records of one pack of SenML may come to, each with its whole name. */
  senml_resolved_bytes_max: 8_388_608,
  /** Unconfirmed core publishes before a round trip is awaited. */
  nats_round_trip_rows: 4_096,
  /** Subjects whose text a source remembers by their bytes; a power of two. */
  subject_texts_max: 4_096,
  /** How long a source gives out what is there already before sockets and timers have their turn. */
  turn_ms_max: 20,
  file_chunk_bytes: 1_048_576,
  /** From the start of a file, to tell it from another one of its name. */
  file_identity_bytes: 4_096,
  file_sink_queue_bytes_max: 4_194_304,
  feed_in_flight_max: 512,

  // Time
  /** How long what was taken is waited for after an interrupt. */
  drain_ms_max: 10_000,
  /** How long one that is opened and waits for its server or stream is waited for before the next is opened beside it. */
  worker_open_wait_ms: 1_000,
  ahead_ms_default: 300_000,
  operator_hang_ms_max: 5_000,
  /** For a thread to end that is told to: JavaScript ends within milliseconds, and a call of the system's perhaps never. */
  operator_end_ms_max: 5_000,
  /** Of records that are left out: how many kinds a worker's log tells of. */
  first_letters_said_max: 20,
  /** For a thread to start and load operators, on a slow device too. */
  operator_load_ms_max: 30_000,
  /** Of a message with its headers, whatever the server says: more than any nats-server allows. */
  nats_message_bytes_max: 71_303_168,
  nats_ping_interval_ms: 5_000,
  nats_reconnect_ms_min: 200,
  nats_reconnect_ms_max: 10_000,
  /** The network's own, that of TLS and the server's take four round trips: of as long a one as a request may take. */
  nats_handshake_ms_max: 20_000,
  nats_request_ms_max: 5_000,
  /** How long a command that answers and ends waits for its server; what runs pipelines waits for ever. */
  nats_command_wait_ms_max: 10_000,
  nats_close_ms_max: 2_000,
  /** Different errors that a connection tells of before it is cut: what a user may not publish comes for each subject. */
  nats_errors_told_max: 100,
  jetstream_pull_expires_ms: 5_000,
  /** Before its end a request no longer counts, so that the next one is there in time. */
  jetstream_pull_renewal_ms: 2_000,
  /** After its end the answer to a request is still on its way for so long. */
  jetstream_pull_grace_ms: 1_000,
  /** How often it is looked whether somebody reads a work queue's consumer still that has messages out. */
  jetstream_deserted_look_ms: 250,
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
  /** A socket file that somebody removed is there again before its worker counts as one that hangs. */
  control_check_ms: 1_000,
  admin_connections_max: 64,
  control_answer_bytes_max: 67_108_864,

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
  /** Longer than a source takes to notice that its server has forgotten a request. */
  demo_catch_up_ms_max: 15_000,
  demo_read_back_ms_max: 5_000,

  // Fuzzing
  /** Processor time that one input may take. */
  fuzz_input_ms_max: 250,
  /** A thread that is at one input for longer is ended. */
  fuzz_hang_ms: 30_000,
  /** What has not changed for so long, longer than sources may be silent, changes no more. */
  demo_settled_ms: 4_000,
} as const;

export const limits: typeof generalLimits & typeof storageLimits & typeof supervisionLimits = {
  ...generalLimits,
  ...storageLimits,
  ...supervisionLimits,
};
